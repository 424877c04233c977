/// `count_series`: how many series have a sample, as Prometheus's `count by`.
struct CountSeries: Aggregate {
    private var count = 0

    mutating func add(_ run: SeriesRun) { count += 1 }

    var value: Double? { Double(count) }
}
