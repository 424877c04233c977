public import KafkaProtocol
public import RecordBatch

/// Hears which partitions a ``GroupConsumer`` gets and gives up.
///
/// Called by the consumer's own task, never two calls at once. With eager assignors each rebalance revokes everything and
/// then assigns; with cooperative ones only what comes and goes is named, first what goes.
public protocol RebalanceListener: Sendable {
    /// The consumer has got these partitions, beside those it had (possibly none), and is about to read them.
    ///
    /// The member's heartbeats go on meanwhile; other members may already be reading theirs.
    ///
    /// - Returns: where to start. A partition that is missing starts at the group's committed offset, or, if there is
    ///   none, where `offsetReset` says.
    /// - Throws: ends the consumer with this error.
    func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset]

    /// These partitions are about to go to other members.
    ///
    /// Every batch of theirs that was handed out has been dealt with: the consumer waits (at most `rebalanceTimeout`)
    /// until it is asked for the next. Offsets can still be committed.
    func revoked(_ partitions: [TopicPartition]) async

    /// These partitions are gone: the group has gone on without this member, which was silent for too long or whose id
    /// another one uses. Others may be reading them already, so offsets cannot be committed.
    ///
    /// Unless implemented it does what ``revoked(_:)`` does.
    func lost(_ partitions: [TopicPartition]) async
}

extension RebalanceListener {
    public func lost(_ partitions: [TopicPartition]) async {
        await revoked(partitions)
    }
}

/// Starts where the group has committed, and has nothing to give up.
public struct CommittedOffsetsListener: RebalanceListener {
    public init() {}

    /// Names no offsets.
    public func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] { [:] }

    /// Does nothing.
    public func revoked(_ partitions: [TopicPartition]) async {}
}
