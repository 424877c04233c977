import KafkaClient
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch
import Synchronization

/// Publishes to a Kafka cluster, acknowledged by all in-sync replicas (the embedded broker: on disk), to the partition
/// that belongs to the agent's instance. Owned by the ``AgentService``.
final class BrokerPublisher: Publisher {
    /// An answer that takes longer counts as an outage in the statistics.
    private static let patience = Duration.seconds(3)

    private struct Progress {
        var nextCall: UInt64 = 0
        var pending: [UInt64: ContinuousClock.Instant] = [:]
        var hasSucceeded = false
    }

    private let cluster: Cluster
    private let producer: Producer
    private let key: ByteBuffer
    private let progress = Mutex(Progress())
    let traffic: ConnectionTraffic

    init(bootstrap: [BrokerAddress], instance: String, logger: Logger) {
        let configuration = ClientConfiguration(bootstrap: bootstrap, clientID: "weir-agent")
        traffic = configuration.traffic
        cluster = Cluster(configuration: configuration, logger: logger)
        producer = Producer(cluster: cluster, configuration: ProducerConfiguration(acks: .all))
        key = ByteBuffer(string: instance)
    }

    func publish(_ batch: EncodedBatch, to topic: TopicName) async throws {
        let call = progress.withLock { progress in
            progress.nextCall += 1
            progress.pending[progress.nextCall] = .now
            return progress.nextCall
        }
        defer { progress.withLock { _ = $0.pending.removeValue(forKey: call) } }
        let partition = try await producer.partition(forKey: key, topic: topic)
        _ = try await producer.send(batch, to: TopicPartition(topic: topic, partition: partition))
        progress.withLock { $0.hasSucceeded = true }
    }

    var isReachable: Bool? {
        progress.withLock { progress in
            if let oldest = progress.pending.values.min(), .now - oldest > Self.patience { return false }
            return progress.hasSucceeded ? true : nil
        }
    }

    func close() async {
        await producer.close(within: .zero)
        cluster.close()
    }
}
