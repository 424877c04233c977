/// How many series a database takes. Beyond a limit new series are not created and their samples are counted as
/// overflow; series that exist go on.
public struct SeriesLimits: Hashable, Sendable {
    /// Series in all.
    public var total = 1_000_000
    /// Series of one metric.
    public var perMetric = 200_000
    /// Series of one source, which is the value of the label `instance`.
    public var perSource = 100_000

    /// The label that says where a series comes from.
    public static let sourceLabel = "instance"

    public init() {}
}

/// Series that were refused because of a limit.
public struct SeriesOverflow: Hashable, Sendable {
    /// Which limit it was.
    public enum Limit: String, Hashable, Sendable {
        case total
        case perMetric = "metric"
        case perSource = "source"
    }

    /// What is the same for all series that were refused for one reason.
    public struct Cause: Hashable, Sendable {
        public let limit: Limit
        /// The metric, or with `perSource` the value of `instance`, whose series are too many.
        public let culprit: String
    }

    public let cause: Cause
    /// The metric of the series that were refused last.
    public let metric: String
    /// The label with the most values among the series of that metric: what most likely should not be a label.
    public let label: String
    /// How many values it has among the series looked at.
    public let labelValues: Int
    /// Series refused and samples of refused series, in this commit or, from a reader, in all.
    public internal(set) var series: Int64
    public internal(set) var samples: Int64

    /// The same cause, of which nothing is counted yet.
    public var withoutCounts: SeriesOverflow {
        var empty = self
        (empty.series, empty.samples) = (0, 0)
        return empty
    }

    public mutating func add(_ other: SeriesOverflow) {
        series += other.series
        samples += other.samples
    }
}

extension SeriesOverflow: CustomStringConvertible {
    public var description: String {
        let whose =
            switch cause.limit {
            case .total: "the database has as many series as it may"
            case .perMetric: "metric '\(cause.culprit)' has as many series as it may"
            case .perSource: "\(SeriesLimits.sourceLabel) '\(cause.culprit)' has as many series as it may"
            }
        return """
            \(whose): \(series) new series were not created and \(samples) samples of such series not stored; the label \
            '\(label)' of '\(metric)' has \(labelValues) values among those looked at
            """
    }
}
