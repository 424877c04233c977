public import CoreMetrics
public import Instruments
public import MetricModel
internal import Synchronization

/// The swift-metrics backend: keeps every series in a cell of atomics and gives all of them out as Prometheus's families.
///
/// Making a handle takes a lock and a look-up; using it takes neither, only atomic additions. Two handles of one name and
/// labels share a cell; it goes when both are destroyed. Made by the command and handed to its services; nothing is global.
public final class MetricRegistry: MetricsFactory, Sendable {
    struct Series {
        let cell: any Cell
        /// How many handles there are.
        var handles: Int
    }

    struct Family {
        let type: CellType
        var series: [Labels: Series] = [:]
    }

    struct State {
        var families: [String: Family] = [:]
        /// Where a cell is, so that it can be taken out.
        var places: [ObjectIdentifier: (name: String, labels: Labels)] = [:]
        var refusedSeries = 0
        var conflicts = 0
    }

    let constantLabels: Labels
    let maximumSeries: Int
    let help: [String: String]
    let state = Mutex(State())
    private let readsProcess: Bool

    /// - Parameters:
    ///   - metrics: what is known of the metrics; names that are not among them have no help text.
    ///   - constantLabels: go to every series that has no label of that name.
    ///   - maximumSeries: handles of further series lead nowhere, and are counted.
    ///   - readsProcess: whether the metrics of the process itself (`process_cpu_seconds_total`, …) are among those given
    ///     out.
    public init(
        describing metrics: [Metric] = [], constantLabels: Labels = [:], maximumSeries: Int = 20_000,
        readsProcess: Bool = false
    ) {
        let known = metrics + RegistryMetrics.all
        help = Dictionary(known.map { ($0.name, $0.help) }, uniquingKeysWith: { first, _ in first })
        self.constantLabels = constantLabels
        self.maximumSeries = maximumSeries
        self.readsProcess = readsProcess
    }

    /// Every series now, families by name, their series by labels. A histogram that nothing was recorded in is left out:
    /// it would be a dozen series of nothing. Reads files of the kernel if process metrics were asked for.
    public func collect() -> [MetricFamily] {
        var families = collectCells()
        if readsProcess { families += ProcessMetrics.read().map(labelled) }
        return families.sorted { $0.name.precedes($1.name) }
    }

    /// Everything as a Prometheus server reads it from `/metrics` (`text/plain; version=0.0.4`).
    public func exposition() -> [UInt8] {
        var writer = TextFormat.Writer(reservingCapacity: 16 << 10)
        writer.append(collect())
        return writer.bytes
    }

    private func labelled(_ family: MetricFamily) -> MetricFamily {
        var family = family
        for index in family.readings.indices {
            for label in constantLabels where family.readings[index].series[label.name] == nil {
                family.readings[index].series = family.readings[index].series.setting(label.name, to: label.value)
            }
        }
        return family
    }
}

/// What swift-metrics asks for by a name; two of them cannot share it.
enum CellType {
    case counter, floatingPointCounter, gauge, recorder, timer

    var kind: Metric.Kind {
        switch self {
        case .counter, .floatingPointCounter: .counter
        case .gauge: .gauge
        case .recorder, .timer: .histogram
        }
    }
}

/// What the registry says of itself.
public enum RegistryMetrics {
    static let refusedSeries = Metric(
        .counter, "weir_registry_refused_series_total",
        "Series that are not kept because the registry has as many as it may (maximumSeries).")
    static let conflicts = Metric(
        .counter, "weir_registry_conflicts_total",
        "Handles that lead nowhere because their name is in use for another kind of metric.")

    public static let all = [refusedSeries, conflicts] + ProcessMetrics.all
}
