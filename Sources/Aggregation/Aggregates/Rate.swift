/// `rate_sum`: the sum of the series' rates per second. A series' rate is its ``Increase`` divided by the time between the
/// samples it was measured between, as VictoriaMetrics's, so that a gap before the window does not look like a burst in it.
struct RateSum: Aggregate {
    private var rates = Rates()

    mutating func add(_ run: SeriesRun) { rates.add(run) }

    var value: Double? { rates.sum?.value }
}

/// `rate_avg`: the mean of the series' rates per second.
struct RateAverage: Aggregate {
    private var rates = Rates()

    mutating func add(_ run: SeriesRun) { rates.add(run) }

    var value: Double? { rates.sum.map { $0.value / Double(rates.count) } }
}

/// The rates of the series of a group.
struct Rates: Sendable {
    private(set) var sum: CompensatedSum?
    private(set) var count = 0

    mutating func add(_ run: SeriesRun) {
        guard let readings = CounterReadings(run) else { return }
        if sum == nil { sum = CompensatedSum(0) }
        sum?.add(readings.increase / readings.seconds)
        count += 1
    }
}
