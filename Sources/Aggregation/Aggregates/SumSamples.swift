internal import MetricModel

/// `sum_samples`: the sum of all samples, as Prometheus's `sum_over_time`. For what is counted per sample; the sum of
/// gauges over hosts is ``SumLast``.
struct SumSamples: Aggregate {
    private var sum = CompensatedSum(0)

    mutating func add(_ run: SeriesRun) {
        for sample in run.samples { sum.add(sample.value) }
    }

    var value: Double? { sum.value }
}
