public import CoreMetrics

/// Hands what a service has counted, and how things stand, to swift-metrics when somebody collects. A value inside its
/// service's lock.
///
/// Counting is the service's (`Counter`, its statistics), so that there is one bookkeeping and its hot path is an atomic
/// addition; here the totals become increments of swift-metrics' counters, and readings its meters. A series that a round
/// does not mention (a deleted topic, a group that is gone) is withdrawn.
public struct MetricReport {
    private struct SeriesKey: Hashable {
        let metric: String
        let values: [String]
    }

    private enum Handle {
        case count(CoreMetrics.Counter, reported: Int)
        case seconds(FloatingPointCounter, reported: Double)
        case reading(Meter)

        func destroy() {
            switch self {
            case .count(let counter, _): counter.destroy()
            case .seconds(let counter, _): counter.destroy()
            case .reading(let meter): meter.destroy()
            }
        }
    }

    private struct Series {
        var handle: Handle
        var round: Int
    }

    private let factory: any MetricsFactory
    private var series: [SeriesKey: Series] = [:]
    private var round = 0

    public init(to factory: any MetricsFactory) {
        self.factory = factory
    }

    /// Reports everything once.
    public mutating func report(_ body: (inout MetricReport) -> Void) {
        round += 1
        body(&self)
        for (key, old) in series where old.round != round {
            old.handle.destroy()
            series[key] = nil
        }
    }

    /// A total so far; `values` are those of the metric's labels. One that is smaller than before began anew, as that of a topic that was deleted and made again.
    public mutating func count(_ metric: Metric, _ total: Int, _ values: [String] = []) {
        let key = SeriesKey(metric: metric.name, values: values)
        var counter: CoreMetrics.Counter
        var reported = 0
        if case .count(let known, let before)? = series[key]?.handle {
            (counter, reported) = (known, before)
            if total < before {
                counter.reset()
                reported = 0
            }
        } else {
            counter = CoreMetrics.Counter(
                label: metric.name, dimensions: metric.dimensions(values), factory: factory)
        }
        if total > reported { counter.increment(by: total - reported) }
        series[key] = Series(handle: .count(counter, reported: total), round: round)
    }

    /// A total of seconds so far.
    public mutating func count(_ metric: Metric, seconds total: Double, _ values: [String] = []) {
        let key = SeriesKey(metric: metric.name, values: values)
        var counter: FloatingPointCounter
        var reported = 0.0
        if case .seconds(let known, let before)? = series[key]?.handle {
            (counter, reported) = (known, before)
            if total < before {
                counter.reset()
                reported = 0
            }
        } else {
            counter = FloatingPointCounter(
                label: metric.name, dimensions: metric.dimensions(values), factory: factory)
        }
        if total > reported { counter.increment(by: total - reported) }
        series[key] = Series(handle: .seconds(counter, reported: total), round: round)
    }

    /// How something stands now.
    public mutating func reading(_ metric: Metric, _ value: Double, _ values: [String] = []) {
        let key = SeriesKey(metric: metric.name, values: values)
        let meter: Meter
        if case .reading(let known)? = series[key]?.handle {
            meter = known
        } else {
            meter = Meter(label: metric.name, dimensions: metric.dimensions(values), factory: factory)
        }
        meter.set(value)
        series[key] = Series(handle: .reading(meter), round: round)
    }

    public mutating func reading(_ metric: Metric, _ value: Int, _ values: [String] = []) {
        reading(metric, Double(value), values)
    }
}

extension Metric {
    /// Histograms are not reported but recorded into when things happen: a duration's.
    public func timer(_ values: [String] = [], in factory: any MetricsFactory) -> Timer {
        precondition(kind == .histogram, "\(name) is no histogram")
        return Timer(label: name, dimensions: dimensions(values), factory: factory)
    }
}
