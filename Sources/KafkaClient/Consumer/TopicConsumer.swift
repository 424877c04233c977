public import KafkaProtocol
import RecordBatch
import Logging
import Synchronization

/// Reads every partition of the selected topics outside any group: an async sequence of batches, in which nothing is
/// committed and nobody shares.
///
/// Topics that are created and partitions that are added while it reads are found, and read from their first record
/// on: all that is in them came since. A topic that was deleted is forgotten. The sequence ends (with nil) when the
/// iterating task is cancelled or ``close()`` is called; outages and moves of brokers are waited out. One task calls
/// ``begin()`` and iterates; ``close()`` is for any thread.
///
///     let consumer = try TopicConsumer(cluster: cluster, topics: .pattern(#"metrics\..*"#), start: .end)
///     try await consumer.begin()
///     for try await batch in consumer { … }
public final class TopicConsumer: AsyncSequence, Sendable {
    public typealias Element = ConsumedBatch

    /// Where to begin in the partitions that are there at the beginning.
    public enum Start: Hashable, Sendable {
        /// At the oldest record.
        case beginning
        /// With what comes from now on.
        case end
        /// At the first record of this time, in milliseconds since the epoch, or later.
        case time(Int64)
    }

    /// Looks at the cluster's topics in which one has to be missing, one after the other, to count as deleted: a broker
    /// that has just started may not know it yet.
    private static let missesUntilDeleted = 3

    private struct Known {
        var partitions: Set<TopicPartition> = []
        /// Of topics that were missing in the latest looks: in how many.
        var misses: [TopicName: Int] = [:]
        /// Before ``TopicConsumer/begin()`` has looked, nothing is new.
        var hasBegun = false
    }

    private let cluster: Cluster
    private let selection: TopicSelection
    private let start: Start
    private let refresh: Duration
    private let consumer: PartitionConsumer
    private let known = Mutex(Known())
    /// Looks for topics, from the first `next()` on.
    private let watch = Mutex<Task<Void, Never>?>(nil)

    /// - Parameter refresh: how often the cluster is asked for its topics.
    /// - Throws: `KafkaClientError.invalidPattern`.
    public init(
        cluster: Cluster, topics: TopicSelection, start: Start, refresh: Duration = .seconds(1),
        configuration: FetchConfiguration = FetchConfiguration()
    ) throws(KafkaClientError) {
        try topics.validate()
        self.cluster = cluster
        self.selection = topics
        self.start = start
        self.refresh = refresh
        self.consumer = PartitionConsumer(cluster: cluster, starts: [:], configuration: configuration)
    }

    deinit {
        watch.withLock { $0?.cancel() }
    }

    /// The partitions that are read now.
    public var partitions: [TopicPartition] { known.withLock { $0.partitions.sorted() } }

    /// Batches that were damaged and passed over since the start, where `damagedBatches` is `.skip`.
    public var damagedBatchCount: Int { consumer.damagedBatchCount }

    /// Looks for the topics there are and where each partition is read from. What is published after this has returned is
    /// read.
    ///
    /// - Throws: `KafkaClientError` if the cluster cannot be reached within its request timeout.
    public func begin() async throws {
        let admin = Admin(cluster: cluster)
        var attempts = 0
        while true {
            let partitions = try await admin.retrying { try await self.look() }
            do {
                let starts = try await offsets(of: partitions, admin)
                known.withLock { known in
                    known.partitions = Set(partitions)
                    known.hasBegun = true
                }
                return consumer.add(partitions, starts: starts)
            } catch KafkaClientError.unknownTopic where attempts < 3 {
                // Deleted between the two questions.
                attempts += 1
            }
        }
    }

    private func offsets(of partitions: [TopicPartition], _ admin: Admin) async throws -> [TopicPartition: Offset] {
        switch start {
        case .beginning: return try await admin.startOffsets(partitions)
        case .end: return try await admin.endOffsets(partitions)
        case .time(let milliseconds):
            let found = try await admin.offsets(of: partitions, atTimestamp: milliseconds)
            return try await admin.endOffsets(partitions).merging(found) { $1 }
        }
    }

    /// Ends the sequence and closes its connections.
    public func close() {
        watch.withLock { watch in
            watch?.cancel()
            if watch == nil { watch = Task {} }
        }
        consumer.close()
    }

    /// For one task. What one iterator was given no other gets.
    public func makeAsyncIterator() -> Iterator {
        Iterator(consumer: self)
    }

    private func look() async throws -> [TopicPartition] {
        let metadata = try await cluster.refreshMetadata()
        return selection.selected(from: metadata.topics.values).flatMap { name in
            (metadata.topics[name]?.partitions ?? []).map { TopicPartition(topic: name, partition: $0.index) }
        }
    }

    private func startWatching() {
        watch.withLock { watch in
            guard watch == nil else { return }
            watch = Task { [weak self, refresh] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: refresh)
                    guard let self, !Task.isCancelled else { return }
                    do {
                        self.take(try await self.look())
                    } catch {
                        // The cluster cannot be reached, or not now; it is asked again.
                        self.cluster.logger.debug("looking for topics: \(error)")
                    }
                }
            }
        }
    }

    /// Reads what is new among these, and no more what is gone.
    private func take(_ found: [TopicPartition]) {
        let (new, gone) = known.withLock { known in
            guard known.hasBegun else { return ([TopicPartition](), [TopicPartition]()) }
            let new = found.filter { known.partitions.insert($0).inserted }
            let topics = Set(found.map(\.topic))
            let missing = Set(known.partitions.lazy.map(\.topic).filter { !topics.contains($0) })
            known.misses = missing.reduce(into: [:]) { $0[$1] = known.misses[$1, default: 0] + 1 }
            let deleted = known.misses.filter { $0.value >= Self.missesUntilDeleted }
            let gone = known.partitions.filter { deleted[$0.topic] != nil }
            known.partitions.subtract(gone)
            for topic in deleted.keys { known.misses[topic] = nil }
            return (new, Array(gone))
        }
        if !gone.isEmpty { consumer.remove(gone) }
        if !new.isEmpty { consumer.add(new, starts: [:]) }
    }

    fileprivate func next() async throws -> ConsumedBatch? {
        startWatching()
        let batch = try await consumer.next()
        if batch == nil { close() }
        return batch
    }

    /// Takes the batches out, one after the other. For one task.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let consumer: TopicConsumer

        /// The next batch; nil at the end.
        public func next() async throws -> ConsumedBatch? {
            try await consumer.next()
        }
    }
}
