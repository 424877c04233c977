internal import MetricModel

/// `max`: the largest sample. NaN counts only when there is nothing else.
struct Maximum: Aggregate {
    private var largest = Double.nan

    mutating func add(_ run: SeriesRun) {
        for sample in run.samples where sample.value > largest || largest.isNaN { largest = sample.value }
    }

    var value: Double? { largest }
}
