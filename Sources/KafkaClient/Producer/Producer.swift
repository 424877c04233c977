public import KafkaProtocol
public import NIOCore
public import RecordBatch
import Glibc

/// Writes records to topics: gathered into batches, in order within each partition, retried until they are written,
/// and, unless configured otherwise, each exactly once.
///
/// Any thread. It owns a task for each partition it writes to; ``close(within:)`` ends them, as does letting go of
/// it.
///
///     let producer = Producer(cluster: cluster)
///     let (partition, offset) = try await producer.send(
///         ProducerMessage(topic: try TopicName("metrics.custom"), value: ByteBuffer(string: "up 1")))
public final class Producer: Sendable {
    private let core: ProducerCore

    public init(cluster: Cluster, configuration: ProducerConfiguration = ProducerConfiguration()) {
        self.core = ProducerCore(cluster: cluster, configuration: configuration)
    }

    init(core: ProducerCore) {
        self.core = core
    }

    deinit {
        core.cancel()
    }

    /// Sends one record; returns when the cluster has taken it, with its place. The offset is -1 where the broker
    /// does not tell it (`acks: .none`).
    ///
    /// While the cluster cannot be reached it waits, up to `deliveryTimeout`. When the task is cancelled it ends at
    /// once; the record may be written all the same.
    ///
    /// - Throws: `KafkaClientError.refused` if the broker does not want it, `.unknownTopic` if the topic has been
    ///   missing for `requestTimeout`, `.unknownPartition`, `.deliveryTimedOut`, `.closed`; `CancellationError`.
    public func send(_ message: ProducerMessage) async throws -> (partition: PartitionIndex, offset: Offset) {
        let delivery = try await enqueue(message)
        return (delivery.partition, try await delivery.offset())
    }

    /// Takes one record in and returns as soon as it has its place in the queue of its partition, so that one task
    /// can send many records in order. Waits while too many bytes do.
    ///
    /// - Throws: as ``send(_:)``, as far as it is known before anything is sent.
    public func enqueue(_ message: ProducerMessage) async throws -> Delivery {
        let bytes = message.estimatedBytes
        let partition = try await partition(of: message)
        try await core.budget.reserve(bytes)
        let delivered = OneShot<Offset>()
        do {
            let sender = try core.sender(of: TopicPartition(topic: message.topic, partition: partition))
            sender.append(
                message, timestamp: message.timestamp ?? Self.nowMilliseconds(), bytes: bytes, delivered: delivered)
        } catch {
            core.budget.release(bytes)
            throw error
        }
        return Delivery(partition: partition, delivered: delivered)
    }

    /// Sends one batch as it is, except for the producer's stamp. Returns the offset of its first record.
    ///
    /// Batches of one partition are written in the order of the calls, also among records sent singly. While the
    /// cluster cannot be reached it waits. When the task is cancelled it ends at once; the batch may be written all
    /// the same.
    ///
    /// - Parameter batch: its records' offsets must be consecutive.
    /// - Throws: as ``send(_:)``.
    public func send(_ batch: EncodedBatch, to partition: TopicPartition) async throws -> Offset {
        let bytes = batch.bytes.readableBytes
        try await core.budget.reserve(bytes)
        let delivered = OneShot<Offset>()
        do {
            try core.sender(of: partition).append(batch, delivered: delivered)
        } catch {
            core.budget.release(bytes)
            throw error
        }
        return try await delivered.value()
    }

    /// The partition that records with this key go to: murmur2 of the key, as Kafka's Java client has it. Creates the
    /// topic if the cluster is configured so.
    public func partition(forKey key: ByteBuffer, topic: TopicName) async throws -> PartitionIndex {
        let topic = try await description(of: topic)
        return topic.partitions[Murmur2.partition(of: key, count: topic.partitions.count)].index
    }

    /// Returns when every record sent before has been taken by the cluster or has failed; nothing lingers.
    public func flush() async throws {
        try await core.flush()
    }

    /// Waits for what is under way, but not longer than `grace`; the rest fails with `KafkaClientError.closed`.
    public func close(within grace: Duration = .seconds(1)) async {
        core.stopAccepting()
        let core = core
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await core.flush() }
            group.addTask { try? await Task.sleep(for: grace) }
            await group.next()
            group.cancelAll()
        }
        for task in core.cancel() { await task.value }
    }

    private func partition(of message: ProducerMessage) async throws -> PartitionIndex {
        if let partition = message.partition { return partition }
        let topic = try await description(of: message.topic)
        guard let key = message.key else { return core.stickyPartition(in: topic) }
        return topic.partitions[Murmur2.partition(of: key, count: topic.partitions.count)].index
    }

    private func description(of name: TopicName) async throws -> TopicDescription {
        let cluster = core.cluster
        if let known = cluster.knownMetadata.topics[name] { return known }
        var patience = TopicPatience(cluster.configuration.requestTimeout)
        var backoff = Backoff(cluster.configuration.retryBackoff)
        let started = ContinuousClock.now
        while true {
            do {
                return try await cluster.metadata(of: [name], createMissing: true).requireTopic(name)
            } catch let error as KafkaClientError {
                guard error.isRetriable, patience.endures(error) else { throw error }
                if let timeout = core.configuration.deliveryTimeout, .now - started > timeout { throw error }
            }
            try await Task.sleep(for: backoff.next())
        }
    }

    /// A record on its way; see ``enqueue(_:)``.
    public struct Delivery: Sendable {
        /// Where it is going.
        public let partition: PartitionIndex
        let delivered: OneShot<Offset>

        /// Its offset, once the cluster has taken it; to be awaited once. -1 where the broker does not tell.
        ///
        /// - Throws: as ``Producer/send(_:)``.
        public func offset() async throws -> Offset { try await delivered.value() }
    }

    private static func nowMilliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
