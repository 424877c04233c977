import Glibc

/// A small text file of /proc or /sys, read whole: the kernel makes its content at the moment of the read.
struct KernelFile {
    let path: String
    let text: String

    /// More than any file read here has; keeps a wrong path from filling the memory.
    private static let maximumBytes = 16 << 20

    init(_ path: String) throws(CollectorError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotRead(path: path, reason: Self.reason(errno)) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < Self.maximumBytes {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .cannotRead(path: path, reason: Self.reason(errno)) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// The lines that hold anything.
    var lines: [Substring] { text.split(separator: "\n") }

    func malformed(_ line: Substring) -> CollectorError {
        .malformed(path: path, text: String(line.prefix(200)))
    }

    /// The number a file of /sys holds; nil when there is no such file or it has none to tell, as for the speed of an
    /// interface that is down.
    static func number(at path: String) -> Double? {
        guard let file = try? KernelFile(path), let line = file.lines.first else { return nil }
        return Double(line)
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}

extension Substring {
    /// The words between blanks and tabs.
    var fields: [Substring] {
        split { $0 == " " || $0 == "\t" }
    }
}
