import Broker
import Instruments
public import KafkaClient
public import Logging
import MetricAgent
public import ServiceLifecycle
import Subscriber
import Synchronization

/// Where the demo keeps its files and how it runs.
public struct DemoConfiguration: Sendable {
    /// Holds `broker/`, `spool/` and `weir.sqlite`; kept after the demo, so that the next one goes on from there.
    public var dataDirectory: String
    /// The broker's port on the loopback address; 0 lets the system choose one.
    public var brokerPort: Int = 9092
    /// Time between two collections.
    public var interval: Duration = .seconds(1)
    /// Time between two publications of the demo's own metrics; nil for none.
    public var selfMetricsInterval: Duration? = .seconds(10)

    public init(dataDirectory: String) { self.dataDirectory = dataDirectory }

    public var databasePath: String { "\(dataDirectory)/weir.sqlite" }
}

/// The whole pipeline in one process: broker, subscriber and this host's agent, talking over real sockets.
///
/// Owns the three services; ``services`` are to be run by one `ServiceGroup`, which stops them in the reverse order:
/// the agent first, the broker last.
public final class DemoPipeline: Sendable {
    public let configuration: DemoConfiguration
    private let broker: BrokerService
    private let subscriber = Mutex<SubscriberService?>(nil)
    private let agent = Mutex<AgentService?>(nil)
    private let logger: Logger
    private let measurement = ProcessMeasurement(job: "weir-demo")

    public init(configuration: DemoConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        var settings = BrokerConfiguration(dataDirectory: "\(configuration.dataDirectory)/broker")
        settings.port = configuration.brokerPort
        broker = BrokerService(configuration: settings, logger: logger, metrics: measurement.registry)
        measurement.services.add(broker)
    }

    /// Broker, subscriber, agent: in the order in which they start.
    public var services: [any Service] {
        [
            broker,
            DeferredService("subscriber") { [self] in
                let service = try SubscriberService(
                    configuration: SubscriberConfiguration(
                        bootstrap: [try await brokerAddress()], databasePath: configuration.databasePath),
                    logger: logger, metrics: measurement.registry)
                measurement.services.add(service)
                subscriber.withLock { $0 = service }
                return service
            },
            DeferredService("agent") { [self] in
                var settings = AgentConfiguration(
                    bootstrap: [try await brokerAddress()], spoolDirectory: "\(configuration.dataDirectory)/spool")
                settings.interval = configuration.interval
                let service = try AgentService(
                    configuration: settings, logger: logger, metrics: measurement.registry,
                    selfMetrics: configuration.selfMetricsInterval.map { measurement.selfMetrics(every: $0) })
                measurement.services.add(service)
                agent.withLock { $0 = service }
                return service
            },
        ]
    }

    /// The address that clients connect to, once the broker accepts; throws if it could not start.
    public func brokerAddress() async throws -> BrokerAddress {
        BrokerAddress(host: "127.0.0.1", port: try await broker.listening())
    }

    /// What has flowed since the start; zeros for a part that is not up yet.
    public var statistics: DemoStatistics {
        var statistics = DemoStatistics()
        if let agent = agent.withLock({ $0?.statistics }) {
            statistics.samplesCollected = Int(agent.samplesCollected)
            statistics.recordsPublished = Int(agent.recordsPublished)
            statistics.recordsWaiting = Int(agent.recordsWaiting)
        }
        if let subscriber = subscriber.withLock({ $0?.statistics }) {
            statistics.samplesStored = Int(subscriber.samplesStored)
            statistics.recordsBehind = Int(subscriber.lag)
            statistics.databaseBytes = Int(subscriber.databaseBytes)
        }
        return statistics
    }
}

/// Counters of the demo's parts at one moment.
public struct DemoStatistics: Sendable {
    public var samplesCollected = 0
    public var recordsPublished = 0
    /// Records in the spool that the broker has not acknowledged.
    public var recordsWaiting = 0
    public var samplesStored = 0
    /// Records in the topics that are not in the database yet.
    public var recordsBehind = 0
    public var databaseBytes = 0
}
