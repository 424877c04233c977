/// `count_samples`: how many samples there are, NaN among them, as Prometheus's `count_over_time`.
struct CountSamples: Aggregate {
    private var count = 0

    mutating func add(_ run: SeriesRun) { count += run.samples.count }

    var value: Double? { Double(count) }
}
