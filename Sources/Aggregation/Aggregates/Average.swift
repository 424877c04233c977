internal import MetricModel

/// `avg`: the arithmetic mean of all samples, as Prometheus's `avg_over_time`. A series with more samples weighs more.
struct Average: Aggregate {
    private var sum = CompensatedSum(0)
    private var count = 0

    mutating func add(_ run: SeriesRun) {
        for sample in run.samples { sum.add(sample.value) }
        count += run.samples.count
    }

    var value: Double? { sum.value / Double(count) }
}
