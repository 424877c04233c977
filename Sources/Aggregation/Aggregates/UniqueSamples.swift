internal import MetricModel

/// `unique_samples`: how many different values the samples have; exact up to 512, beyond that with a standard error of 1.6 %
/// (``DistinctCount``).
struct UniqueSamples: Aggregate {
    private var distinct = DistinctCount()

    mutating func add(_ run: SeriesRun) { distinct.add(run.samples.lazy.map(\.value)) }

    var value: Double? { distinct.value }
}
