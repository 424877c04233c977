internal import NIOCore
internal import RecordBatch

// The file `transaction-indexes` of a log's directory, lines of text:
//
//      1 OFFSET
//      BASE BYTES CRC        for each segment with a `.txnindex`
//      CRC                   of all lines before, in hexadecimal
//
// It exists once a transaction was aborted. Kafka's `.txnindex` files have no checksum, and a segment without aborted
// transactions has no such file, so that without this list nobody could tell that one is missing or damaged.

/// What is known of one segment's transaction index: how long it is and its checksum.
struct TransactionIndexMark: Hashable, Sendable {
    let byteCount: Int
    let crc: UInt32

    init(byteCount: Int, crc: UInt32) {
        self.byteCount = byteCount
        self.crc = crc
    }

    /// - Returns: nil for an index without entries.
    init?(of transactions: [AbortedTransaction]) {
        guard !transactions.isEmpty else { return nil }
        let bytes = AbortedTransaction.encode(transactions)
        self.init(byteCount: bytes.readableBytes, crc: CRC32C.checksum(bytes))
    }
}

/// What a log's transaction indexes are at one moment. A value.
struct TransactionIndexList: Hashable, Sendable {
    static let fileName = "transaction-indexes"
    private static let version = "1"

    /// All transactions that were aborted before this offset are in the indexes.
    var offset: Offset
    /// By the segments' base offsets.
    var marks: [Offset: TransactionIndexMark]

    private var text: String {
        let lines = marks.sorted { $0.key < $1.key }.map { base, mark in
            "\(base) \(mark.byteCount) \(String(mark.crc, radix: 16))\n"
        }
        return "\(Self.version) \(offset)\n" + lines.joined()
    }

    /// Replaces the file. It is not synced: a checksum tells when a crash has spoiled it.
    func write(in directory: Directory) throws(LogError) {
        let temporary = Self.fileName + AtomicFile.temporarySuffix
        let text = text
        let content = ByteBuffer(string: text + String(CRC32C.checksum(ByteBuffer(string: text)), radix: 16) + "\n")
        try directory.open(temporary, .replace).write(content, at: 0)
        try directory.rename(temporary, to: Self.fileName)
    }

    enum Content: Hashable {
        case missing
        case list(TransactionIndexList)
        case damaged
    }

    static func read(in directory: Directory) throws(LogError) -> Content {
        guard let file = try directory.openIfPresent(fileName) else { return .missing }
        let whole = String(buffer: try file.read(count: try file.size(), at: 0))
        let lines = whole.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines.last == "", let head = lines.first else { return .damaged }
        let text = lines.dropLast(2).map { $0 + "\n" }.joined()
        let fields = head.split(separator: " ")
        guard String(CRC32C.checksum(ByteBuffer(string: text)), radix: 16) == lines[lines.count - 2],
            fields.count == 2, fields[0] == version, let offset = Int64(fields[1])
        else { return .damaged }
        var list = TransactionIndexList(offset: Offset(offset), marks: [:])
        for line in lines.dropFirst().dropLast(2) {
            let fields = line.split(separator: " ")
            guard fields.count == 3, let base = Int64(fields[0]), let bytes = Int(fields[1]), bytes > 0,
                let crc = UInt32(fields[2], radix: 16)
            else { return .damaged }
            list.marks[Offset(base)] = TransactionIndexMark(byteCount: bytes, crc: crc)
        }
        return .list(list)
    }
}
