import CommitLog
import NIOCore
import RecordBatch

/// Keyed records for compaction, and what a compacted log says.
enum CompactionMaking {
    static let always = CompactionPolicy(minimumDirtyRatio: 0)

    /// A batch of records like `a=1`; `a=` is a tombstone, and `=1` has no key.
    static func batch(
        _ records: String..., timestamp: Int64 = LogMaking.start, codec: CompressionCodec = .none,
        producer: Int64 = -1, sequence: Int32 = 0, isTransactional: Bool = false
    ) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(
            compression: codec, producerID: producer, producerEpoch: producer < 0 ? -1 : 3,
            baseSequence: producer < 0 ? -1 : sequence, isTransactional: isTransactional)
        for (index, record) in records.enumerated() {
            let parts = record.split(separator: "=", omittingEmptySubsequences: false)
            builder.append(
                timestamp: timestamp + Int64(index), key: field(parts[0]), value: field(parts[1]),
                headers: [RecordHeader(key: "h", value: ByteBuffer(string: record))])
        }
        return try builder.finish()
    }

    private static func field(_ text: Substring) -> ByteBuffer? {
        text.isEmpty ? nil : ByteBuffer(string: String(text))
    }

    /// A transaction's end: key version and type, value version and coordinator epoch.
    static func marker(producer: Int64, isCommit: Bool, timestamp: Int64 = LogMaking.start) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(
            producerID: producer, producerEpoch: 3, isTransactional: true, isControl: true)
        builder.append(
            timestamp: timestamp, key: ByteBuffer(bytes: [0, 0, 0, isCommit ? 1 : 0]),
            value: ByteBuffer(bytes: [0, 0, 0, 0, 0, 1]))
        return try builder.finish()
    }
}

extension Record {
    /// `offset:key=value`
    var text: String {
        "\(offset):\(key.map { String(buffer: $0) } ?? "")=\(value.map { String(buffer: $0) } ?? "")"
    }
}

extension Log {
    /// Every record as `offset:key=value`.
    func texts() throws -> [String] { try records().map(\.text) }

    /// All batches' headers.
    func headers() throws -> [RecordBatchHeader] {
        var headers: [RecordBatchHeader] = []
        var next = logStartOffset
        while next < logEndOffset {
            try RecordBatchHeader.walk(try locate(from: next, maximumBytes: 1 << 20).read()) { header, _ in
                headers.append(header)
                next = header.nextOffset
                return true
            }
        }
        return headers
    }

    @discardableResult
    mutating func compact(
        _ policy: CompactionPolicy = CompactionMaking.always, now: Int64 = LogMaking.start
    ) throws -> CompactionReport? {
        // An escaping closure cannot hold the log, and this one does not escape.
        try Compactor.run(policy, now: now) { (body) throws(LogError) in try body(&self) }
    }

    @discardableResult
    mutating func append(_ batch: EncodedBatch) throws -> Offset {
        try append(batch, leaderEpoch: 5)
    }
}
