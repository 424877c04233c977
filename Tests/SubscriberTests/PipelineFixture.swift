import Aggregation
import Broker
import KafkaClient
import KafkaProtocol
import Logging
import MetricModel
import MetricRegistry
import NIOCore
import RecordBatch
import SeriesStore
import ServiceLifecycle
import Subscriber
import TestKit

/// A service that runs in a task of its own until it is stopped as SIGTERM would.
final class Running<Running: Service>: Sendable {
    let service: Running
    private let group: ServiceGroup
    private let task: Task<Void, any Error>

    init(_ service: Running, logger: Logger) {
        self.service = service
        let group = ServiceGroup(services: [service], logger: logger)
        self.group = group
        task = Task { try await group.run() }
    }

    /// Shuts the service down; gives how long that took.
    @discardableResult
    func stop() async throws -> Duration {
        let start = ContinuousClock.now
        await group.triggerGracefulShutdown()
        try await task.value
        return .now - start
    }

    /// Ends it at once, as far as a process can end a part of itself.
    func cancel() async {
        task.cancel()
        _ = await task.result
    }
}

/// A real broker on a free port, a producer, and a database path, in a directory of their own.
final class PipelineFixture: Sendable {
    let directory: TemporaryDirectory
    let logger: Logger
    let address: BrokerAddress
    let cluster: Cluster
    let producer: Producer
    private let broker: Running<BrokerService>

    var databasePath: String { directory.appending("weir.sqlite") }

    init() async throws {
        directory = try TemporaryDirectory("weir-pipeline")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.logger = logger
        var configuration = BrokerConfiguration(dataDirectory: directory.appending("broker"))
        configuration.port = try freePort()
        configuration.durability = .pageCache
        broker = Running(BrokerService(configuration: configuration, logger: logger), logger: logger)
        address = BrokerAddress(host: "127.0.0.1", port: try await broker.service.listening())
        cluster = Cluster(configuration: ClientConfiguration(bootstrap: [address]), logger: logger)
        producer = Producer(cluster: cluster)
    }

    func stop() async throws {
        await producer.close()
        cluster.close()
        try await broker.stop()
    }

    func subscriber(
        database: String? = nil, limits: SeriesLimits = SeriesLimits(), mode: ProcessingMode = .batch,
        rules: RuleFile? = nil, watermark: WatermarkSettings = WatermarkSettings(), topics: String? = nil,
        metrics: MetricRegistry = MetricRegistry(), logger: Logger? = nil
    ) throws -> Running<SubscriberService> {
        let logger = logger ?? self.logger
        var configuration = SubscriberConfiguration(bootstrap: [address], databasePath: database ?? databasePath)
        configuration.seriesLimits = limits
        configuration.mode = mode
        configuration.rules = rules
        configuration.watermark = watermark
        if let topics { configuration.topicPattern = topics }
        return Running(
            try SubscriberService(configuration: configuration, logger: logger, metrics: metrics), logger: logger)
    }

    @discardableResult
    func send(
        _ text: String, to topic: String, headers: [RecordHeader] = [], at timestamp: Int64 = 1_700_000_000_000,
        key: String = "lab"
    ) async throws -> Offset {
        try await producer.send(
            ProducerMessage(
                topic: try TopicName(topic), key: ByteBuffer(string: key), value: ByteBuffer(string: text),
                headers: headers, timestamp: timestamp)
        ).offset
    }

    /// Every stored sample as `name{labels} value@milliseconds`, sorted by series and time.
    func stored() throws -> [String] {
        let reader = try SeriesReader(path: databasePath)
        defer { try? reader.close() }
        let series = try reader.series(matching: [])
        let samples = try reader.samples(
            of: series.map(\.id), from: Timestamp(milliseconds: .min), to: Timestamp(milliseconds: .max))
        return series.flatMap { series in
            (samples[series.id] ?? []).map { "\(series.labels) \($0.value)@\($0.timestamp.milliseconds)" }
        }
    }
}

/// The headers an agent sends.
func agentHeaders(_ sequence: Int, agent: String = "0b8f", epoch: Int = 0) -> [RecordHeader] {
    [("weir-agent", agent), ("weir-epoch", "\(epoch)"), ("weir-sequence", "\(sequence)")].map {
        RecordHeader(key: $0.0, value: ByteBuffer(string: $0.1))
    }
}
