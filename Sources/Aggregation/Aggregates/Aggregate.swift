public import MetricModel

/// What one series has in a window, as aggregates take it.
public struct SeriesRun: Sendable {
    /// Ascending by time, within the window, without staleness markers; never empty.
    public let samples: ArraySlice<Sample>
    /// The last sample before the window that is no staleness marker, if it is not too old: counters are measured from it.
    public let previous: Sample?
}

/// One aggregate of one group of series in one window. A file each, and a line in `RuleOutput+Columns`.
///
/// A plain value. Series may come in any order: sums keep what additions round away, and ties are decided by value.
protocol Aggregate: Sendable {
    init()

    /// Adds what one more series has.
    mutating func add(_ run: SeriesRun)

    /// The result; nil when the samples say nothing about it.
    var value: Double? { get }
}
