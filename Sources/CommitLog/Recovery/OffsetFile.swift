internal import NIOCore
internal import RecordBatch

// A file of a log's directory that holds one offset, as one line of text:
//
//      1 OFFSET CRC
//
// 1 is the format's version; CRC is the CRC-32C of what stands before it, in hexadecimal.

/// An offset that outlives the process. Each log has its own files, where Kafka has one for a whole data directory
/// (`log-start-offset-checkpoint`, `cleaner-offset-checkpoint`): so a log's directory can be copied or moved by itself, and one
/// log's change does not rewrite what belongs to all others.
struct OffsetFile: Hashable, Sendable {
    /// The first offset that may be read, once records were deleted from the log's beginning.
    static let logStart = OffsetFile(name: "log-start-offset")
    /// Up to where the log has been compacted.
    static let cleaner = OffsetFile(name: "cleaner-offset")
    static let all = [logStart, cleaner]

    let name: String

    private static func line(_ offset: Offset) -> String {
        let text = "1 \(offset) "
        return text + String(CRC32C.checksum(ByteBuffer(string: text)), radix: 16) + "\n"
    }

    /// Replaces the file; it is on disk afterwards.
    func write(_ offset: Offset, in directory: Directory) throws(LogError) {
        try AtomicFile.write(Self.line(offset), to: directory.path(of: name), fileSystem: directory.fileSystem)
    }

    enum Content: Hashable {
        case missing
        case offset(Offset)
        case damaged
    }

    func read(in directory: Directory) throws(LogError) -> Content {
        guard let file = try directory.openIfPresent(name) else { return .missing }
        let text = String(buffer: try file.read(count: try file.size(), at: 0))
        let fields = text.split(separator: " ")
        guard fields.count == 3, let number = Int64(fields[1]), number >= 0, text == Self.line(Offset(number)) else {
            return .damaged
        }
        return .offset(Offset(number))
    }
}
