/// `increase`: what the counters of the group counted in the window, resets seen.
///
/// A series counts from its last sample before the window to its last sample in it, so the windows of a series add up to
/// what it counted in all; where there is none before (the series is new, or was silent for `staleness_interval`), it
/// counts from its first sample in the window. Nothing is extrapolated: whole counts stay whole. Therefore
///
/// - Prometheus's `increase(m[1m])` sees only the samples within the range and stretches their increase to its ends, so it
///   has fractions and misses what was counted between two ranges' samples before stretching;
/// - VictoriaMetrics's `increase` output is this one, but lets a new series begin at zero; its `increase_prometheus` lets it
///   begin at its first sample, as here.
struct Increase: Aggregate {
    private var sum: CompensatedSum?

    mutating func add(_ run: SeriesRun) {
        guard let readings = CounterReadings(run) else { return }
        if sum == nil { sum = CompensatedSum(0) }
        sum?.add(readings.increase)
    }

    var value: Double? { sum?.value }
}
