public import KafkaProtocol

/// How a consumer fetches: how much at a time, from where without an offset, and what it does with what it cannot hand
/// out. A value of ``GroupConsumerConfiguration`` and ``PartitionConsumer``.
public struct FetchConfiguration: Sendable {
    /// Where to start when there is no offset, or the offset is no longer (or not yet) in the log.
    public enum OffsetReset: Sendable {
        /// At the oldest record there is.
        case earliest
        /// At the end: only what comes from now on.
        case latest
        /// Nowhere: the consumer ends with `KafkaClientError.noOffset`, `.logTruncated` or `.topicRecreated`.
        case none
    }

    /// What to do with a batch that stays damaged (checksum, length or structure) however often it is fetched.
    public enum DamagePolicy: Sendable {
        /// The consumer ends with `KafkaClientError.damagedBatch`, which names topic, partition and offset. Nothing is
        /// lost before somebody has looked at it.
        case fail
        /// Its records are passed over. An error is logged with topic, partition and offset, and counted in the
        /// consumer's `damagedBatchCount`: for those to whom later records matter more than complete ones.
        case skip
    }

    /// A broker waits until it has this many bytes for us, or `maximumWait` is over.
    public var minimumBytes: Int
    /// Bytes of one answer, over all partitions. A single batch may be larger.
    public var maximumBytes: Int
    /// Bytes of one answer for one partition. A single batch may be larger.
    public var partitionMaximumBytes: Int
    /// How long a broker may wait for records before it answers without any.
    public var maximumWait: Duration
    /// Fetched bytes that may wait to be consumed; from there on nothing more is asked for. As all brokers may answer
    /// at the same time, up to twice as many can wait, and one batch for each broker if batches are larger than that.
    public var prefetchBytes: Int
    /// Where to start without a valid offset.
    public var offsetReset: OffsetReset
    /// Whether records of transactions that are not, or not yet, committed are handed out. `readCommitted` reads up to
    /// the last stable offset; it needs Kafka 0.11.
    public var isolation: IsolationLevel
    /// What to do with a damaged batch.
    public var damagedBatches: DamagePolicy
    /// Hand out batches without records too, where only transaction markers or aborted records were passed: for those
    /// who wait until an offset is reached.
    public var deliversEmptyBatches: Bool

    public init(
        minimumBytes: Int = 1, maximumBytes: Int = 8 << 20, partitionMaximumBytes: Int = 1 << 20,
        maximumWait: Duration = .milliseconds(500), prefetchBytes: Int = 8 << 20,
        offsetReset: OffsetReset = .earliest, isolation: IsolationLevel = .readUncommitted,
        damagedBatches: DamagePolicy = .fail, deliversEmptyBatches: Bool = false
    ) {
        self.minimumBytes = minimumBytes
        self.maximumBytes = maximumBytes
        self.partitionMaximumBytes = partitionMaximumBytes
        self.maximumWait = maximumWait
        self.prefetchBytes = prefetchBytes
        self.offsetReset = offsetReset
        self.isolation = isolation
        self.damagedBatches = damagedBatches
        self.deliversEmptyBatches = deliversEmptyBatches
    }
}
