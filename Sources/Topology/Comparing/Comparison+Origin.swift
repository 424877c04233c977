internal import FoundationEssentials
internal import Glibc

extension Comparison.Origin {
    /// This machine, now.
    static func here(command: String, version: String) -> Comparison.Origin {
        var name = utsname()
        uname(&name)
        return Comparison.Origin(
            date: Date().formatted(.iso8601), version: version, command: command,
            processor: field("model name", in: "/proc/cpuinfo") ?? "unknown processor",
            cores: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            memoryBytes: (field("MemTotal", in: "/proc/meminfo").flatMap { Int($0.prefix { $0.isNumber }) } ?? 0)
                * 1024,
            system: withUnsafeBytes(of: &name.sysname) { text($0) } + " "
                + withUnsafeBytes(of: &name.release) { text($0) })
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The value of the first line `key : value`.
    private static func field(_ key: String, in path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix(key) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return line[line.index(after: colon)...].split(separator: " ").joined(separator: " ")
        }
        return nil
    }
}
