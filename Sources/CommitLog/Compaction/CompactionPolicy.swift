public import RecordBatch

/// When and how a log with `cleanup.policy=compact` is compacted. The defaults are Kafka's, but for the memory.
public struct CompactionPolicy: Hashable, Sendable {
    /// The share of a log's sealed bytes that must not have been compacted yet (`min.cleanable.dirty.ratio`). 0 compacts
    /// always, so that tombstones go also from a log that gets no more records.
    public var minimumDirtyRatio: Double
    /// How long tombstones and transaction markers stay after they were first compacted (`delete.retention.ms`).
    public var deleteRetentionMilliseconds: Int64
    /// Segments with a record younger than this are left alone (`min.compaction.lag.ms`).
    public var minimumLagMilliseconds: Int64
    /// A log with a record that has waited longer is compacted whatever its dirty ratio (`max.compaction.lag.ms`); nil for
    /// no limit. Only sealed segments count.
    public var maximumLagMilliseconds: Int64?
    /// A producer that has been silent for longer may be forgotten (`producer.id.expiration.ms`).
    public var producerExpirationMilliseconds: Int64
    /// Memory for the keys of one pass; where they do not fit there are several.
    public var mapBytes: Int
    /// More than this in one batch is an error.
    public var maximumDecompressedBytes: Int

    public init(
        minimumDirtyRatio: Double = 0.5, deleteRetentionMilliseconds: Int64 = 86_400_000,
        minimumLagMilliseconds: Int64 = 0, maximumLagMilliseconds: Int64? = nil,
        producerExpirationMilliseconds: Int64 = 86_400_000,
        mapBytes: Int = 16 << 20, maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes
    ) {
        self.minimumDirtyRatio = minimumDirtyRatio
        self.deleteRetentionMilliseconds = deleteRetentionMilliseconds
        self.minimumLagMilliseconds = minimumLagMilliseconds
        self.maximumLagMilliseconds = maximumLagMilliseconds
        self.producerExpirationMilliseconds = producerExpirationMilliseconds
        self.mapBytes = mapBytes
        self.maximumDecompressedBytes = maximumDecompressedBytes
    }
}

/// What a compaction did.
public struct CompactionReport: Hashable, Sendable {
    public internal(set) var passes = 0
    public internal(set) var bytesRead = 0
    public internal(set) var bytesRemoved = 0
    public internal(set) var recordsRemoved = 0
    /// Records without a key, which a compacted log cannot keep; they are among those removed.
    public internal(set) var recordsWithoutKey = 0
}
