import Broker
import CoreMetrics
public import Instruments
public import KafkaClient
public import Logging
public import MetricAgent
public import MetricModel
public import MetricRegistry
public import ServiceLifecycle
import Subscriber

/// What one process measures of itself, and how it is published. Made by a command, which hands the registry to its
/// services and adds them to `services`.
public struct ProcessMeasurement: Sendable {
    /// Bytes of its own metrics that may wait for the broker: about a day of them.
    private static let spoolBytes = 64 << 20

    /// What the process's services report to.
    public let registry: MetricRegistry
    public let services = MeasuredServices()

    /// - Parameters:
    ///   - job: the label that tells the processes of one host apart, as Prometheus has it: `weir-broker`.
    ///   - labels: further ones for all series.
    public init(job: String, labels: Labels = [:]) {
        registry = MetricRegistry(
            describing: Self.metrics, constantLabels: labels.setting("job", to: job), readsProcess: true)
    }

    /// Everything that is known of.
    public static var metrics: [Metric] {
        BrokerMetrics.all + SubscriberMetrics.all + DirectMetrics.all + AgentMetrics.all + DirectLinkMetrics.all
            + RegistryMetrics.all
    }

    /// Everything as Prometheus reads it from `/metrics`: asks the services, then writes all down.
    public func exposition() async -> [UInt8] {
        await services.report()
        return registry.exposition()
    }

    /// For an agent that publishes them along with its host's.
    public func selfMetrics(every interval: Duration) -> SelfMetrics {
        SelfMetrics(registry, every: interval, of: services)
    }

    /// Publishes them from a process that is no agent, to its own broker or the one it reads from: with an agent that
    /// collects nothing else, so that they arrive as any host's do, exactly once and whatever is killed.
    ///
    /// - Parameters:
    ///   - spoolDirectory: where they wait until they are acknowledged.
    ///   - bootstrap: asked when it is the service's turn to run.
    public func publisher(
        every interval: Duration, instance: String?, spoolDirectory: String, logger: Logger,
        to bootstrap: @escaping @Sendable () async throws -> [BrokerAddress]
    ) -> any Service {
        SideService("self-metrics", logger: logger) {
            var configuration = AgentConfiguration(
                bootstrap: try await bootstrap(), collectors: [], spoolDirectory: spoolDirectory,
                spoolMaximumBytes: Self.spoolBytes)
            if let instance { configuration.instance = instance }
            return try AgentService(
                configuration: configuration, logger: logger, metrics: NOOPMetricsHandler.instance,
                selfMetrics: selfMetrics(every: interval))
        }
    }
}
