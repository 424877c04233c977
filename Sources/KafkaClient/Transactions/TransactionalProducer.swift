public import KafkaProtocol
public import RecordBatch

/// Writes records to any number of topics, and commits the offsets of the records they were made of, all or nothing
/// (KIP-98): who reads with `readCommitted` sees a transaction's records once it is committed, and never those of one
/// that was aborted.
///
/// At each time one producer with a given transactional id can commit: the one that was initialized last. So a process
/// that was thought dead, and is not, cannot write what its successor writes too.
///
///     let producer = TransactionalProducer(cluster: cluster, transactionalID: "rollup-1")
///     try await producer.initialize()
///     for try await batch in consumer {
///         try await producer.transaction {
///             for record in rollup(batch) { _ = try await producer.enqueue(record) }
///             try await producer.sendOffsets(
///                 [batch.topicPartition: batch.nextOffset], group: consumer.groupMetadata)
///         }
///     }
///
/// One transaction is open at a time, begun and ended by one task; any number of tasks may send meanwhile. While the
/// cluster cannot be reached calls wait; a call whose task is cancelled ends at once, and can be repeated. A
/// ``TransactionError`` says what to do: abort, or make a new producer. Let go of it, or ``close()`` it, and the
/// coordinator aborts what is open when its timeout has passed.
public final class TransactionalProducer: Sendable {
    private let session: TransactionSession
    private let core: ProducerCore
    private let producer: Producer

    /// - Parameter transactionalID: not empty; unique among the producers that are to work at the same time, and the
    ///   same for a process that takes over another's work.
    public init(
        cluster: Cluster, transactionalID: String,
        configuration: TransactionConfiguration = TransactionConfiguration()
    ) {
        precondition(!transactionalID.isEmpty, "a transactional id is not empty")
        session = TransactionSession(
            cluster: cluster, transactionalID: transactionalID, timeout: configuration.timeout)
        core = ProducerCore(cluster: cluster, configuration: configuration.sending, session: session)
        producer = Producer(core: core)
    }

    /// As given.
    public var transactionalID: String { session.transactionalID }

    /// Registers the transactional id: older producers with it are fenced, and what they had open is aborted. Once,
    /// before the first transaction; later calls do nothing.
    ///
    /// - Throws: `TransactionError.terminal` (an authorization is missing, or the timeout is longer than the brokers
    ///   allow), `.fenced` (another producer with the id was initialized at the same time).
    public func initialize() async throws {
        try await session.initialize()
    }

    /// Begins a transaction. The cluster learns of it with the first record or offset.
    ///
    /// - Throws: `TransactionError.notNow` if one is open, `.mustAbort`, `.fenced` or `.terminal`.
    public func begin() throws(TransactionError) {
        try session.begin()
    }

    /// Sends one record as part of the transaction; returns when the cluster has it, with its place.
    ///
    /// - Throws: `TransactionError`; the `KafkaClientError` of this record, after which the transaction has to be
    ///   aborted; `CancellationError`.
    public func send(_ message: ProducerMessage) async throws -> (partition: PartitionIndex, offset: Offset) {
        try await producer.send(message)
    }

    /// Takes one record in and returns as soon as it has its place in the queue of its partition. ``commit()`` waits for
    /// it and fails if it could not be written, so the delivery need not be awaited.
    ///
    /// - Throws: as ``send(_:)``, as far as it is known before anything is sent.
    public func enqueue(_ message: ProducerMessage) async throws -> Producer.Delivery {
        try await producer.enqueue(message)
    }

    /// Sends one encoded batch as part of the transaction. Returns the offset of its first record.
    ///
    /// - Throws: as ``send(_:)``.
    public func send(_ batch: EncodedBatch, to partition: TopicPartition) async throws -> Offset {
        try await producer.send(batch, to: partition)
    }

    /// Commits a consumer group's offsets with the transaction: they hold if, and as soon as, it is committed.
    ///
    /// - Parameters:
    ///   - offsets: the offset after the last record that is done with, by partition.
    ///   - group: who the consumer is (``GroupConsumer/groupMetadata``): if its partitions are others' by now the
    ///     transaction has to be aborted (KIP-447, Kafka 2.5). With the group's name only, nothing is checked.
    /// - Throws: `TransactionError`.
    public func sendOffsets(_ offsets: [TopicPartition: Offset], group: GroupMetadata) async throws {
        guard !offsets.isEmpty else { return }
        try await session.sendOffsets(offsets, group: group)
    }

    /// Waits until everything that was sent is written, and commits it. Returns when that is decided: readers may see it
    /// a moment later.
    ///
    /// When the task is cancelled the outcome may be unknown; call it again to learn it.
    ///
    /// - Throws: `TransactionError.mustAbort` if something could not be written, `.fenced`, `.terminal`, `.notNow`.
    public func commit() async throws {
        try session.flush()
        try await core.flush()
        try await session.commit()
    }

    /// Gives the transaction up: what was written of it is never seen by readers of committed records; what was not
    /// fails as `TransactionError.aborted`.
    ///
    /// After an error that left brokers and producer disagree about what was written it also gets the next producer
    /// epoch (KIP-360), which needs Kafka 2.5; otherwise that ends the producer.
    ///
    /// - Throws: `TransactionError.fenced`, `.terminal`, `.notNow`.
    public func abort() async throws {
        try session.prepareAbort()
        core.abandon(TransactionError.aborted)
        try await core.flush()
        try await session.abort()
    }

    /// Runs `body` within a transaction: commits it when the body returns, aborts it when the body or the commit throws
    /// and an abort is possible.
    ///
    /// - Throws: what `body` or ``commit()`` throws. If the abort fails too, the next transaction begins with it.
    public func transaction<Value>(_ body: () async throws -> Value) async throws -> Value {
        if session.phase == .aborting { try await abort() }
        try begin()
        do {
            let value = try await body()
            try await commit()
            return value
        } catch {
            if session.isAbortable {
                // Where the task was cancelled, in a task of its own that does not take long.
                if Task.isCancelled { await abort(within: .seconds(1)) } else { try? await abort() }
            }
            throw error
        }
    }

    private func abort(within grace: Duration) async {
        await Task {
            _ = try? await withDeadline(grace, overdue: .closed) { try await self.abort() }
        }.value
    }

    /// Aborts what is open, if that can be done within `grace`, and ends the senders.
    public func close(within grace: Duration = .seconds(1)) async {
        if session.isAbortable { await abort(within: grace) }
        await producer.close(within: .zero)
    }
}
