internal import NIOCore
internal import RecordBatch

// The file `recovery-point` of a log's directory, one line of text:
//
//      1 SEGMENT POSITION OFFSET INDEX-ENTRIES TIME-INDEX-ENTRIES CRC
//
// 1 is the format's version; CRC is the CRC-32C of what stands before it, in hexadecimal.

/// A place in a log before which everything is on disk and intact, so that opening need not check it. Without one, or
/// with one that does not fit the files, everything is checked.
struct RecoveryPoint: Hashable, Sendable {
    static let fileName = "recovery-point"

    /// The base offset of the segment that is active at this point.
    var segment: Offset
    /// The position in that segment's log file.
    var position: Int
    /// The offset of the batch that would come next.
    var offset: Offset
    /// How many entries the segment's index files have at this point.
    var offsetEntries = 0
    var timeEntries = 0

    private var text: String {
        "1 \(segment) \(position) \(offset) \(offsetEntries) \(timeEntries) "
    }

    private static func checksum(_ text: String) -> String {
        String(CRC32C.checksum(ByteBuffer(string: text)), radix: 16)
    }

    /// Replaces the file. It is not synced: a checksum tells when a crash has spoiled it, and an old one does no harm.
    func write(in directory: Directory) throws(LogError) {
        let temporary = Self.fileName + AtomicFile.temporarySuffix
        let content = ByteBuffer(string: text + Self.checksum(text) + "\n")
        try directory.open(temporary, .replace).write(content, at: 0)
        try directory.rename(temporary, to: Self.fileName)
    }

    /// The directory's recovery point; nil when there is none that makes sense.
    static func read(in directory: Directory) throws(LogError) -> RecoveryPoint? {
        guard let file = try directory.openIfPresent(fileName) else { return nil }
        let bytes = try file.read(count: try file.size(), at: 0)
        let line = String(buffer: bytes)
        let fields = line.split(whereSeparator: \.isWhitespace)
        let numbers = fields.dropLast().compactMap { Int($0) }
        guard fields.count == 7, numbers.count == 6, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        let point = RecoveryPoint(
            segment: Offset(Int64(numbers[1])), position: numbers[2], offset: Offset(Int64(numbers[3])),
            offsetEntries: numbers[4], timeEntries: numbers[5])
        guard numbers[0] == 1, point.text + checksum(point.text) + "\n" == line else { return nil }
        return point
    }
}
