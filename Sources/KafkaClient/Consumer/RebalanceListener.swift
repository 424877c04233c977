public import KafkaProtocol
public import RecordBatch

/// Hears which partitions a ``GroupConsumer`` gets and gives up.
///
/// Called by the consumer's own task, never two calls at once, `assigned` and `revoked` in turn.
public protocol RebalanceListener: Sendable {
    /// The consumer has got these partitions (possibly none) and is about to read them.
    ///
    /// The member's heartbeats go on meanwhile; other members may already be reading theirs.
    ///
    /// - Returns: where to start. A partition that is missing starts at the group's committed offset, or, if there is
    ///   none, where `offsetReset` says.
    /// - Throws: ends the consumer with this error.
    func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset]

    /// These partitions are about to go to other members, or have gone.
    ///
    /// Every batch that was handed out has been dealt with: the consumer waits (at most `rebalanceTimeout`) until it
    /// is asked for the next. Offsets can still be committed, unless the member was thrown out of the group.
    func revoked(_ partitions: [TopicPartition]) async
}

/// Starts where the group has committed, and has nothing to give up.
public struct CommittedOffsetsListener: RebalanceListener {
    public init() {}

    /// Names no offsets.
    public func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] { [:] }

    /// Does nothing.
    public func revoked(_ partitions: [TopicPartition]) async {}
}
