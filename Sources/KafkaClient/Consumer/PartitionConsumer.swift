public import KafkaProtocol
public import RecordBatch
import Synchronization

/// Reads given partitions from given offsets, outside any group: an async sequence of batches, prefetched within
/// bounds.
///
/// The first call of `next()` starts to fetch. The sequence ends (with nil) when the iterating task is cancelled or
/// ``close()`` is called; it throws when something is beyond help. Outages and moves of brokers are waited out. Batches
/// without records are handed out too, where only transaction markers were passed, so that whoever waits for an
/// offset sees it reached. One task iterates; ``close()`` is for any thread.
public final class PartitionConsumer: AsyncSequence, Sendable {
    public typealias Element = ConsumedBatch

    private let cluster: Cluster
    private let fetcher: Fetcher
    private let buffer: BatchBuffer
    /// The fetching task: nil before the first `next()`.
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// - Parameter starts: the partitions, and the offset each is read from. Where an offset has been deleted meanwhile,
    ///   reading goes on at the oldest record.
    public init(cluster: Cluster, starts: [TopicPartition: Offset]) {
        self.cluster = cluster
        let partitions = starts.keys.sorted()
        var configuration = GroupConsumerConfiguration(
            group: "", topics: .named(Set(partitions.map(\.topic)).sorted()))
        configuration.deliversEmptyBatches = true
        self.buffer = BatchBuffer(limit: configuration.prefetchBytes)
        self.fetcher = Fetcher(
            cluster: cluster, configuration: configuration,
            requests: GroupRequests(cluster: cluster, group: "", lane: .shared), buffer: buffer,
            partitions: partitions, starts: starts, assignmentNumber: 0)
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

    /// For one task. What one iterator was given no other gets.
    public func makeAsyncIterator() -> Iterator {
        Iterator(consumer: self)
    }

    private func start() {
        task.withLock { task in
            guard task == nil else { return }
            let (cluster, fetcher, buffer) = (cluster, fetcher, buffer)
            task = Task {
                defer { cluster.close(fetcher.lane) }
                do {
                    try await fetcher.run()
                } catch {
                    buffer.finish(error is CancellationError ? .success(()) : .failure(error))
                }
            }
        }
    }

    fileprivate func next() async throws -> ConsumedBatch? {
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
