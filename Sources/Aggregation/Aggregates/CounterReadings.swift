internal import MetricModel

/// What the readings of one counter say: how much was counted between the first and the last of them, and how often it
/// began anew.
///
/// A reading that is smaller than the one before is a reset, as in Prometheus: the counter went on from zero. Readings that
/// are not finite are passed over.
struct CounterReadings: Sendable {
    private(set) var increase = 0.0
    private(set) var resets = 0
    /// From the first reading to the last.
    private(set) var seconds = 0.0

    /// Nil for fewer than two readings: one alone says nothing about an increase.
    init?(_ run: SeriesRun) {
        var first: Sample?
        var last: Sample?
        var lost = 0.0
        if let previous = run.previous, previous.value.isFinite {
            first = previous
            last = previous
        }
        for sample in run.samples where sample.value.isFinite {
            if let last, sample.value < last.value {
                lost += last.value
                resets += 1
            }
            if first == nil { first = sample }
            last = sample
        }
        guard let first, let last, first.timestamp < last.timestamp else { return nil }
        increase = last.value - first.value + lost
        seconds = Double((last.timestamp - first.timestamp).wholeMilliseconds) / 1000
    }
}
