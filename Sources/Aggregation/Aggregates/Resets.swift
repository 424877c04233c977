/// `resets`: how often the counters of the group began anew, as Prometheus's `resets`, but with the last sample before the
/// window taken into account.
struct Resets: Aggregate {
    private var count: Int?

    mutating func add(_ run: SeriesRun) {
        guard let readings = CounterReadings(run) else { return }
        count = (count ?? 0) + readings.resets
    }

    var value: Double? { count.map(Double.init) }
}
