public import NIOCore

/// Every limit of the broker with its default, in one place. docs/limits.md says which settings change them.
public struct BrokerLimits: Sendable {
    public var connection = ConnectionLimits()
    /// Bytes of one record batch, as Kafka's `message.max.bytes`; larger ones are answered MESSAGE_TOO_LARGE.
    public var batchBytes = (1 << 20) + 12
    /// Bytes that all message sets of an old producer's request, or a batch read for an old consumer, may decompress to;
    /// more is answered MESSAGE_TOO_LARGE, or CORRUPT_MESSAGE to the consumer.
    public var decompressedBytes = 16 << 20
    /// Bytes of records in one fetch response, whatever the client asks for; a first batch that is larger still goes.
    public var fetchResponseBytes = 16 << 20
    /// The longest a fetch may wait for data, whatever the client asks for.
    public var fetchWaitMilliseconds: Int32 = 60_000
    /// Partitions that one topic may have; more are answered INVALID_PARTITIONS.
    public var partitionsPerTopic = 1_000
    /// Partitions of all topics together; more are answered POLICY_VIOLATION.
    public var partitions = 20_000
    /// Topics that may exist; more are answered POLICY_VIOLATION.
    public var topics = 10_000
    /// Consumer groups that may exist; a member or commit of another one is answered POLICY_VIOLATION.
    public var groups = 10_000
    /// Members that one group may have; others are answered GROUP_MAX_SIZE_REACHED.
    public var membersPerGroup = 1_000
    /// Bytes of the protocols that one member offers, or of its assignment; more is answered GROUP_MAX_SIZE_REACHED.
    public var memberBytes = 256 << 10
    /// The same of all members of all groups.
    public var groupBytes = 32 << 20
    /// Elements (strings, structures, numbers) in all arrays of one request; more closes the connection. What is answered
    /// to an element takes some hundred bytes.
    public var requestElements = 100_000
    /// Bytes of requests that all connections together may hold, half arrived or unanswered. Beyond it a connection that
    /// sends more and holds more than its share is closed.
    public var requestBytes = 96 << 20
    /// Bytes of answers that are being made or wait, on all connections together, for peers to take them. Beyond it fetches are
    /// answered later, those of little when it is twice as much; peers that take nothing for `connection.stallTime` are cut.
    public var answerBytes = 48 << 20
    /// Connections in all; further ones are closed at once.
    public var connections = 10_000
    /// Connections from one address; further ones are closed at once.
    public var connectionsPerAddress = 10_000
    /// Idempotent producers a partition remembers; the one unheard of for longest is forgotten first.
    public var producersPerPartition = 2_000
    /// Transactional ids that may be known; a producer with another one is answered POLICY_VIOLATION.
    public var transactionalIDs = 10_000
    /// Partitions of one transaction; more are answered POLICY_VIOLATION.
    public var partitionsPerTransaction = 10_000
    /// Bytes of a partition of `__transaction_state` at which it is rewritten with what transactional ids are now.
    public var transactionsTopicBytes = 16 << 20
    /// Bytes that an offset commit may carry per partition as metadata, as Kafka's `offset.metadata.max.bytes`.
    public var offsetMetadataBytes = 4_096
    /// Bytes of memory, roughly, for what all groups have committed; a commit to a partition that is new to its group is
    /// answered POLICY_VIOLATION beyond it.
    public var committedOffsetBytes = 32 << 20
    /// Bytes of a partition of `__consumer_offsets` at which it is rewritten with what groups remember.
    public var offsetsTopicBytes = 16 << 20
    /// Bytes that the disk must have free for clients' records to be taken; below it they are answered
    /// KAFKA_STORAGE_ERROR. Nil for a hundredth of the file system, at least 16 MiB, at most 1 GiB, never more than an eighth.
    public var minimumFreeBytes: Int?
    /// Memory for the keys of one pass of compaction; a log with more keys takes several passes. Kafka's
    /// `log.cleaner.dedupe.buffer.size` is 128 MiB.
    public var compactionBytes = 16 << 20
    /// Bytes of records that one fetch reads on the event loop, if they are in the page cache; more are read on the
    /// thread pool, so that other connections need not wait.
    public var eventLoopReadBytes = 2 << 20
    /// Topics that have series of their own in the broker's metrics; those that come later share one.
    public var measuredTopics = 1_000
    /// The same of consumer groups.
    public var measuredGroups = 1_000

    public init() {}
}

/// Limits of one connection.
public struct ConnectionLimits: Sendable {
    /// Bytes of one request frame, as Kafka's `socket.request.max.bytes` (100 MiB there); more closes the connection.
    public var frameBytes = 32 << 20
    /// The same until the peer has sent one valid request. Old clients may begin with a produce request.
    public var firstFrameBytes = 2 << 20
    /// Requests of one connection that may be unanswered; at that number the broker stops reading from it.
    public var queuedRequests = 64
    /// Bytes of requests of one connection that may be unanswered; at that number the broker stops reading from it. A
    /// single request may be larger.
    public var queuedBytes = 16 << 20
    /// A connection that is owed no answer and has sent nothing for this long is closed, as Kafka's
    /// `connections.max.idle.ms`.
    public var idleTime = TimeAmount.minutes(10)
    /// While answers take more than half of `answerBytes`, or wait for it: a connection that takes next to nothing of its own for this
    /// long is closed.
    public var stallTime = TimeAmount.milliseconds(500)

    public init() {}
}
