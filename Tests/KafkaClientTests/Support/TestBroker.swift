import Broker
import KafkaClient
import KafkaProtocol
import Logging
import RecordBatch
import TestKit

/// An embedded broker in a directory of its own, which can be stopped and started again on the same port.
actor TestBroker {
    nonisolated let lines = LogLines()
    private let directory: TemporaryDirectory
    private let settings: @Sendable (inout BrokerConfiguration) -> Void
    private var running: Task<Void, any Error>?
    let port: Int

    private init(settings: @escaping @Sendable (inout BrokerConfiguration) -> Void) throws {
        directory = try TemporaryDirectory("client")
        self.settings = settings
        port = try freePort()
    }

    static func start(
        _ settings: @escaping @Sendable (inout BrokerConfiguration) -> Void = { _ in }
    ) async throws -> TestBroker {
        let broker = try TestBroker(settings: settings)
        try await broker.start()
        return broker
    }

    /// Starts a broker, runs `body` with it, and stops it.
    static func with(
        _ settings: @escaping @Sendable (inout BrokerConfiguration) -> Void = { _ in },
        _ body: (TestBroker, Cluster) async throws -> Void
    ) async throws {
        let broker = try await start(settings)
        let cluster = Cluster(configuration: .local(port: broker.port), logger: broker.lines.logger)
        do {
            try await body(broker, cluster)
        } catch {
            cluster.close()
            await broker.stop()
            throw error
        }
        cluster.close()
        await broker.stop()
    }

    func start() async throws {
        var configuration = BrokerConfiguration(dataDirectory: directory.path, port: port)
        settings(&configuration)
        var quiet = Logger(label: "broker")
        quiet.logLevel = .error
        let service = BrokerService(configuration: configuration, logger: quiet)
        running = Task { try await service.run() }
        _ = try await service.listening()
    }

    func stop() async {
        running?.cancel()
        _ = try? await running?.value
        running = nil
    }
}

extension Producer {
    /// Writes values one after the other.
    func write(_ values: some Sequence<String>, to topic: TopicName, partition: PartitionIndex? = nil) async throws {
        for value in values {
            _ = try await send(ProducerMessage(topic: topic, partition: partition, value: bytes(value)))
        }
    }
}
