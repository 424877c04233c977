public import KafkaProtocol
import NIOCore
public import RecordBatch

/// Consecutive records of one partition, as they were fetched: whole batches, still encoded.
///
/// A value; it keeps the memory of the answer it came in alive. Read it with ``forEachRecord(_:)``, which allocates
/// nothing per record, or with ``records``.
public struct ConsumedBatch: Sendable {
    /// Where the records come from.
    public let topicPartition: TopicPartition
    /// The encoded batches, without transaction markers and, with `readCommitted`, without aborted transactions; never
    /// empty unless `deliversEmptyBatches` asks for it. The first may begin before `firstOffset`.
    public let batches: [EncodedBatch]
    /// Records before this offset are not meant.
    public let firstOffset: Offset
    /// Where to go on after these records: the offset to commit.
    public let nextOffset: Offset
    /// The partition's high watermark when they were fetched; `highWatermark - nextOffset` records are still to come.
    public let highWatermark: Offset
    /// The offset of the first record of a transaction that was not decided when they were fetched, at most the high
    /// watermark: with `readCommitted` there is nothing to read from here on.
    public let lastStableOffset: Offset
    /// The id of the topic they are of: another one means that the topic was deleted and created again. Nil if the brokers
    /// have no ids (before Kafka 2.8).
    public let topicID: TopicID?

    public init(
        topicPartition: TopicPartition, batches: [EncodedBatch], firstOffset: Offset, nextOffset: Offset,
        highWatermark: Offset, lastStableOffset: Offset? = nil, topicID: TopicID? = nil
    ) {
        self.topicPartition = topicPartition
        self.batches = batches
        self.firstOffset = firstOffset
        self.nextOffset = nextOffset
        self.highWatermark = highWatermark
        self.lastStableOffset = lastStableOffset ?? highWatermark
        self.topicID = topicID
    }

    /// Bytes as fetched, compressed.
    public var byteCount: Int { batches.reduce(0) { $0 + $1.bytes.readableBytes } }

    /// The records, decoded anew with each call.
    ///
    /// - Throws: `RecordBatchError` if a batch's content is damaged in spite of its checksum, or too large.
    public var records: [Record] {
        get throws(RecordBatchError) {
            var records: [Record] = []
            for batch in batches {
                let decoded = try batch.records()
                if batch.header.baseOffset >= firstOffset, records.isEmpty {
                    records = decoded
                } else {
                    records.append(contentsOf: decoded.lazy.filter { $0.offset >= firstOffset })
                }
            }
            return records
        }
    }

    /// Calls `body` with each record in turn; a view is valid within the call only.
    ///
    /// - Throws: `RecordBatchError`, or what `body` throws.
    public func forEachRecord(_ body: (RecordView) throws -> Void) throws {
        for batch in batches {
            try batch.forEachRecord { record in
                if record.offset >= firstOffset { try body(record) }
            }
        }
    }
}
