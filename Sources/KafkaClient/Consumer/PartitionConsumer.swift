public import KafkaProtocol
public import RecordBatch
import Synchronization

/// Reads given partitions from given offsets, outside any group: an async sequence of batches, prefetched within
/// bounds.
///
/// The first call of `next()` starts to fetch. The sequence ends (with nil) when the iterating task is cancelled or
/// ``close()`` is called; it throws when something is beyond help. Outages and moves of brokers are waited out. Batches
/// without records are handed out too, where only transaction markers were passed, so that whoever waits for an
/// offset sees it reached. One task iterates; the other methods are for any thread.
///
///     let partition = TopicPartition(topic: try TopicName("metrics.cpu"), partition: 0)
///     for try await batch in PartitionConsumer(cluster: cluster, starts: [partition: 0]) {
///         try batch.forEachRecord { record in … }
///         if batch.nextOffset >= batch.highWatermark { break }
///     }
public final class PartitionConsumer: AsyncSequence, Sendable {
    public typealias Element = ConsumedBatch

    private let fetcher: Fetcher
    private let buffer: BatchBuffer
    /// The fetching task: nil before the first `next()`.
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// - Parameters:
    ///   - starts: the partitions, and the offset each is read from. Where an offset has been deleted meanwhile, reading
    ///     goes on where `configuration.offsetReset` says.
    ///   - configuration: how records are fetched; batches without records are handed out whatever it says.
    public init(
        cluster: Cluster, starts: [TopicPartition: Offset],
        configuration: FetchConfiguration = FetchConfiguration()
    ) {
        var configuration = configuration
        configuration.deliversEmptyBatches = true
        self.buffer = BatchBuffer(limit: configuration.prefetchBytes)
        self.fetcher = Fetcher(cluster: cluster, configuration: configuration, reader: "reading", buffer: buffer)
        fetcher.assign(starts.keys.sorted(), starts: starts)
    }

    deinit {
        task.withLock { $0?.cancel() }
    }

    /// Ends the sequence and closes its connections.
    public func close() {
        task.withLock { task in
            task?.cancel()
            if task == nil { task = Task {} }
        }
        buffer.finish(.success(()))
    }

    /// Batches that were damaged and passed over since the start, where `damagedBatches` is `.skip`.
    public var damagedBatchCount: Int { fetcher.damagedCount.withLock { $0 } }

    /// Goes on at `offset` in this partition, with the next batch that is handed out.
    ///
    /// - Throws: `KafkaClientError.notAssigned` if it is none of those that are read.
    public func seek(_ partition: TopicPartition, to offset: Offset) throws(KafkaClientError) {
        try fetcher.seek(partition, to: offset)
    }

    /// Reads these partitions too; those without a start from where `configuration.offsetReset` says.
    func add(_ partitions: [TopicPartition], starts: [TopicPartition: Offset]) {
        fetcher.assign(partitions, starts: starts)
    }

    /// Reads these partitions no more.
    func remove(_ partitions: [TopicPartition]) {
        fetcher.revoke(partitions)
    }

    /// For one task. What one iterator was given no other gets.
    public func makeAsyncIterator() -> Iterator {
        Iterator(consumer: self)
    }

    private func start() {
        task.withLock { task in
            guard task == nil else { return }
            let (fetcher, buffer) = (fetcher, buffer)
            task = Task {
                do {
                    try await fetcher.run()
                } catch {
                    buffer.finish(error is CancellationError ? .success(()) : .failure(error))
                }
            }
        }
    }

    func next() async throws -> ConsumedBatch? {
        start()
        do {
            try Task.checkCancellation()
            return try await buffer.next()
        } catch is CancellationError {
            close()
            return nil
        }
    }

    /// Takes the batches out, one after the other. For one task.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let consumer: PartitionConsumer

        /// The next batch; nil at the end.
        public func next() async throws -> ConsumedBatch? {
            try await consumer.next()
        }
    }
}
