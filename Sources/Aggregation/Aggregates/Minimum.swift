internal import MetricModel

/// `min`: the smallest sample. NaN counts only when there is nothing else.
struct Minimum: Aggregate {
    private var smallest = Double.nan

    mutating func add(_ run: SeriesRun) {
        for sample in run.samples where sample.value < smallest || smallest.isNaN { smallest = sample.value }
    }

    var value: Double? { smallest }
}
