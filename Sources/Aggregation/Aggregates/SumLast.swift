internal import MetricModel

/// `sum_last`: the sum of each series' last sample, what a recording rule `sum by (…) (metric)` gives at the window's end:
/// memory of all hosts, sessions of all servers.
struct SumLast: Aggregate {
    private var sum = CompensatedSum(0)

    mutating func add(_ run: SeriesRun) {
        if let last = run.samples.last { sum.add(last.value) }
    }

    var value: Double? { sum.value }
}
