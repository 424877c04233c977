/// The load averages, from /proc/loadavg.
struct LoadCollector: Collector {
    let path: String

    init(roots: KernelRoots) {
        path = "\(roots.proc)/loadavg"
    }

    mutating func collect(into samples: inout SampleWriter) throws(CollectorError) {
        let file = try KernelFile(path)
        let fields = file.text[...].fields
        guard fields.count >= 3, let one = Double(fields[0]), let five = Double(fields[1]),
            let fifteen = Double(fields[2])
        else { throw file.malformed(file.text[...]) }
        samples.append("node_load1", one)
        samples.append("node_load5", five)
        samples.append("node_load15", fifteen)
    }
}
