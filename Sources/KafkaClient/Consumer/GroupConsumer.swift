public import KafkaProtocol
public import RecordBatch
import Synchronization

/// Reads topics as a member of a consumer group: an async sequence of batches.
///
/// The first call of `next()` joins the group. The sequence ends (with nil) when the iterating task is cancelled or
/// ``close()`` is called, in both cases after the partitions have been given up and the group left; it throws when
/// something is beyond help. Outages and moves of brokers are none of that: they are waited out, and only ``Cluster``
/// logs a line.
///
///     let configuration = GroupConsumerConfiguration(group: "lab", topics: .pattern(#"metrics\..*"#))
///     let consumer = try GroupConsumer(cluster: cluster, configuration: configuration)
///     for try await batch in consumer {
///         for record in try batch.records { … }
///         try await consumer.commit([batch.topicPartition: batch.nextOffset])
///     }
///
/// If the loop's body throws, close the consumer: until then it stays a member and keeps its partitions.
///
/// Something beyond help is, among others: a partition without an offset where `offsetReset` is `.none`, a batch that
/// stays damaged where `damagedBatches` is `.fail`, a refused authorization, another member with the same
/// `instanceID` (`KafkaClientError.refused` with `fencedInstanceID`), a group whose members have no assignor in common.
///
/// A batch counts as being worked on until the next call of `next()` (or the iterator's end); its partition is not
/// given up before that. One task at a time iterates; the other methods are for any thread.
public final class GroupConsumer: AsyncSequence, Sendable {
    public typealias Element = ConsumedBatch

    private let member: GroupMember
    /// The member's task: nil before the first `next()`.
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// - Throws: `KafkaClientError.invalidPattern`.
    public init(
        cluster: Cluster, configuration: GroupConsumerConfiguration,
        listener: any RebalanceListener = CommittedOffsetsListener()
    ) throws(KafkaClientError) {
        try configuration.topics.validate()
        precondition(!configuration.assignors.isEmpty, "a group needs at least one assignor")
        self.member = GroupMember(cluster: cluster, configuration: configuration, listener: listener)
    }

    deinit {
        task.withLock { $0?.cancel() }
    }

    /// The partitions this consumer reads now.
    public var assignment: [TopicPartition] { member.assignment }

    /// Counts the rebalances of the group since the start, from 1.
    public var assignmentNumber: UInt64 { member.assignmentNumber }

    /// Who this consumer is in its group now, for transactions that commit the group's offsets.
    public var groupMetadata: GroupMetadata { member.metadata }

    /// Batches that were damaged and passed over since the start, where `damagedBatches` is `.skip`.
    public var damagedBatchCount: Int { member.fetcher.damagedCount.withLock { $0 } }

    /// Reads other topics from now on. Partitions that both selections have are read on without a break if the
    /// assignors are cooperative.
    ///
    /// - Throws: `KafkaClientError.invalidPattern`.
    public func subscribe(to topics: TopicSelection) throws(KafkaClientError) {
        try topics.validate()
        member.subscribe(to: topics)
    }

    /// Hands out nothing more of these partitions until ``resume(_:)``; they stay this member's. What was fetched ahead
    /// is fetched again then, so nothing is missing. Partitions that are not assigned are left out of account.
    public func pause(_ partitions: [TopicPartition]) {
        member.fetcher.pause(partitions)
    }

    /// Goes on with partitions that were paused; new records come with the next fetch, at most
    /// `FetchConfiguration.maximumWait` later.
    public func resume(_ partitions: [TopicPartition]) {
        member.fetcher.resume(partitions)
    }

    /// The assigned partitions that are paused. A partition that comes to this member (again) is not paused.
    public var paused: [TopicPartition] { member.fetcher.paused }

    /// Goes on at `offset` in this partition, with the next batch that is handed out.
    ///
    /// - Throws: `KafkaClientError.notAssigned`.
    public func seek(_ partition: TopicPartition, to offset: Offset) throws(KafkaClientError) {
        try member.fetcher.seek(partition, to: offset)
    }

    /// Commits where the group has got to in these partitions: the offset after the last record that is done with.
    ///
    /// Waits out an outage of at most `requestTimeout`; while the consumer is closing, of less than a second. With
    /// cooperative assignors it waits out a rebalance too, as long as the partitions stay here.
    ///
    /// - Throws: `KafkaClientError.notAMember`, the error of the outage, or `.refused` with `illegalGeneration`,
    ///   `unknownMemberID` or `rebalanceInProgress` when the partitions may be others' by now, or `fencedInstanceID`
    ///   when another member with the same `instanceID` has come.
    public func commit(_ offsets: [TopicPartition: Offset]) async throws {
        guard !offsets.isEmpty else { return }
        try await member.commit(offsets)
    }

    /// Gives the partitions up, leaves the group (unless it is a static member that stays) and ends the sequence; returns when
    /// that is done, within two seconds plus what the listener takes.
    public func close() async {
        member.close()
        let running = task.withLock { task -> Task<Void, Never>? in
            if task == nil { task = Task {} }
            return task
        }
        await running?.value
        // In case it never ran.
        member.buffer.finish(.success(()))
    }

    /// For one task. What one iterator was given no other gets.
    public func makeAsyncIterator() -> Iterator {
        Iterator(consumer: self)
    }

    private func start() {
        task.withLock { task in
            let member = member
            if task == nil { task = Task { await member.run() } }
        }
    }

    fileprivate func next() async throws -> ConsumedBatch? {
        start()
        do {
            try Task.checkCancellation()
            return try await member.buffer.next()
        } catch is CancellationError {
            await close()
            return nil
        }
    }

    fileprivate func returned(_ partition: TopicPartition) {
        member.buffer.returned(partition)
    }

    /// Takes the batches out, one after the other. For one task.
    public final class Iterator: AsyncIteratorProtocol {
        private let consumer: GroupConsumer
        private var holding: TopicPartition?

        fileprivate init(consumer: GroupConsumer) {
            self.consumer = consumer
        }

        deinit {
            giveBack()
        }

        /// The next batch; nil at the end. Says that the batch before is dealt with.
        public func next() async throws -> ConsumedBatch? {
            giveBack()
            let batch = try await consumer.next()
            holding = batch?.topicPartition
            return batch
        }

        private func giveBack() {
            guard let partition = holding else { return }
            holding = nil
            consumer.returned(partition)
        }
    }
}
