/// What the kernel says of its memory, from /proc/meminfo: every field as `node_memory_<field>_bytes`, or without
/// `_bytes` where the field counts pages.
struct MemoryCollector: Collector {
    let path: String

    init(roots: KernelRoots) {
        path = "\(roots.proc)/meminfo"
    }

    mutating func collect(into samples: inout SampleWriter) throws(CollectorError) {
        let file = try KernelFile(path)
        for line in file.lines {
            let fields = line.fields
            guard fields.count >= 2, fields[0].last == ":", let value = Double(fields[1]) else {
                throw file.malformed(line)
            }
            let name = Self.metricName(field: fields[0].dropLast())
            switch fields.count {
            case 2: samples.append(name, value)
            case 3 where fields[2] == "kB": samples.append("\(name)_bytes", value * 1024)
            default: throw file.malformed(line)
            }
        }
    }

    /// `Active(anon)` is `node_memory_Active_anon`.
    private static func metricName(field: Substring) -> String {
        var name = "node_memory_"
        for character in field where character != ")" {
            let isPlain = character.isASCII && (character.isLetter || character.isNumber)
            name.append(isPlain ? character : "_")
        }
        return name
    }
}
