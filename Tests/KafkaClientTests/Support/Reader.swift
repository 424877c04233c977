import KafkaClient
import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization

/// Consumes in a task of its own and remembers what it has read.
final class Reader: Sendable {
    struct Read: Equatable, Sendable {
        let partition: TopicPartition
        let offset: Offset
        let value: String
    }

    let consumer: GroupConsumer
    private let read: Shared
    private let task: Task<Void, any Error>

    /// What the task writes and the test reads.
    private final class Shared: Sendable {
        let records = Mutex<[Read]>([])
    }

    /// - Parameter commits: commit each batch.
    init(
        _ cluster: Cluster, _ configuration: GroupConsumerConfiguration,
        listener: any RebalanceListener = CommittedOffsetsListener(), commits: Bool = false,
        onBatch: @escaping @Sendable (ConsumedBatch) async throws -> Void = { _ in }
    ) throws {
        let consumer = try GroupConsumer(cluster: cluster, configuration: configuration, listener: listener)
        let read = Shared()
        self.consumer = consumer
        self.read = read
        self.task = Task {
            for try await batch in consumer {
                let records = try batch.records.map {
                    Read(
                        partition: batch.topicPartition, offset: $0.offset,
                        value: String(buffer: $0.value ?? ByteBuffer()))
                }
                read.records.withLock { $0 += records }
                try await onBatch(batch)
                guard commits else { continue }
                do {
                    try await consumer.commit([batch.topicPartition: batch.nextOffset])
                } catch let error as KafkaClientError where error.code == .rebalanceInProgress {
                    // Some coordinators take commits until the rebalance is complete, others do not.
                }
            }
        }
    }

    var records: [Read] { read.records.withLock { $0 } }
    var values: [String] { records.map(\.value) }

    /// Cancels the task and waits for its end.
    func cancel() async throws {
        task.cancel()
        do {
            try await task.value
        } catch is CancellationError {
            // In the midst of a commit, so the consumer does not know yet.
            await consumer.close()
        }
    }

    func end() async throws {
        try await task.value
    }
}

/// A listener that records its calls and starts where it is told to.
final class RecordingListener: RebalanceListener {
    enum Event: Equatable, Sendable {
        case assigned([String])
        case revoked([String])
        case lost([String])
    }

    private let starts: [TopicPartition: Offset]
    private let record = Mutex<[Event]>([])
    private let onRevoked: @Sendable () async -> Void

    init(starts: [TopicPartition: Offset] = [:], onRevoked: @escaping @Sendable () async -> Void = {}) {
        self.starts = starts
        self.onRevoked = onRevoked
    }

    var events: [Event] { record.withLock { $0 } }

    func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        record.withLock { $0.append(.assigned(partitions.map(\.description))) }
        return starts
    }

    func revoked(_ partitions: [TopicPartition]) async {
        await onRevoked()
        record.withLock { $0.append(.revoked(partitions.map(\.description))) }
    }

    func lost(_ partitions: [TopicPartition]) async {
        record.withLock { $0.append(.lost(partitions.map(\.description))) }
    }
}

extension GroupConsumerConfiguration {
    /// For tests: sessions that end soon, no long polls.
    static func quick(
        _ group: String, _ topics: TopicSelection, assignors: [PartitionAssignor] = [.range, .cooperativeSticky]
    ) -> GroupConsumerConfiguration {
        GroupConsumerConfiguration(
            group: group, topics: topics, topicRefresh: .milliseconds(100), sessionTimeout: .milliseconds(800),
            heartbeatInterval: .milliseconds(100), rebalanceTimeout: .seconds(3), assignors: assignors,
            fetching: FetchConfiguration(maximumWait: .milliseconds(100)))
    }
}
