internal import FoundationEssentials
internal import Glibc

/// What a running process has used, as `/proc` has it.
struct ChildUsage: Hashable, Sendable {
    var cpuSeconds: Double
    var residentBytes: Int
    /// The most it had resident at any time.
    var peakBytes: Int

    /// Nil when there is no such process (any more).
    init?(of identifier: Int32) {
        guard let stat = Self.read("/proc/\(identifier)/stat"),
            let status = Self.read("/proc/\(identifier)/status"),
            // The name in parentheses may hold anything; fields are counted from behind it.
            let end = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else { return nil }
        cpuSeconds = Double(user + system) / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        residentBytes = Self.kibibytes("VmRSS:", in: status) * 1024
        peakBytes = Self.kibibytes("VmHWM:", in: status) * 1024
    }

    private static func kibibytes(_ key: String, in status: String) -> Int {
        for line in status.split(separator: "\n") where line.hasPrefix(key) {
            return line.dropFirst(key.count).split(whereSeparator: { $0 == " " || $0 == "\t" }).first
                .flatMap { Int($0) } ?? 0
        }
        return 0
    }

    private static func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// The TCP connections that are established among some processes, counted once each.
enum EstablishedConnections {
    /// - Parameter identifiers: the processes; a connection with both its ends among them counts once.
    static func count(among identifiers: [Int32]) -> Int {
        let table = table()
        var ends: Set<Pair> = []
        for identifier in identifiers {
            for inode in sockets(of: identifier) {
                if let end = table[inode] { ends.insert(end) }
            }
        }
        return ends.count
    }

    /// Two addresses in a fixed order, so that both ends of a connection are the same value.
    private struct Pair: Hashable {
        var first: Substring
        var second: Substring

        init(_ one: Substring, _ other: Substring) {
            (first, second) = one < other ? (one, other) : (other, one)
        }
    }

    /// Established connections by the inode of their socket.
    private static func table() -> [Substring: Pair] {
        var table: [Substring: Pair] = [:]
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for line in String(decoding: bytes(ofKernelFile: path), as: UTF8.self).split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ")
                if fields.count > 9, fields[3] == "01" { table[fields[9]] = Pair(fields[1], fields[2]) }
            }
        }
        return table
    }

    /// The kernel hands these out a page at a time, which must not be taken for the end of the file.
    private static func bytes(ofKernelFile path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            let part = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
                count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
            }
            if part.isEmpty { return bytes }
            bytes += part
        }
    }

    private static func sockets(of identifier: Int32) -> [Substring] {
        let directory = "/proc/\(identifier)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap { name in
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\(name)"),
                target.hasPrefix("socket:[")
            else { return nil }
            return Substring(target.dropFirst("socket:[".count).dropLast())
        }
    }
}
