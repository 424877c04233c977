public import Instruments
public import MetricRegistry

/// A process's own metrics, published as a host's are: at every interval one record of Prometheus text on the topic
/// `metrics.weir`, through the spool.
///
/// What is published does not grow by being published: a record an interval, however much it says.
public struct SelfMetrics: Sendable {
    /// The end of the topic's name.
    static let name = "weir"

    let registry: MetricRegistry
    let interval: Duration
    /// Those that are asked to report before the registry is read.
    let services: MeasuredServices

    public init(_ registry: MetricRegistry, every interval: Duration, of services: MeasuredServices) {
        self.registry = registry
        self.interval = interval
        self.services = services
    }
}

/// Takes its samples from a registry instead of the kernel.
struct RegistryCollector: Collector {
    let registry: MetricRegistry

    mutating func collect(into samples: inout SampleWriter) throws(CollectorError) {
        for family in registry.collect() {
            for reading in family.readings { samples.append(reading.series, reading.value) }
        }
    }
}
