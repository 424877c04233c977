internal import MetricModel

/// `quantiles(…)`: quantiles of all samples with a relative error of at most 1 % (``DDSketch``). The only output with several
/// results: each has its `quantile` label.
struct SampleQuantiles: OutputColumn {
    private let quantiles: [(value: Double, label: String)]
    private var sketches: [DDSketch?]

    init(_ quantiles: [Double], groupCount: Int) {
        self.quantiles = quantiles.map { ($0, RuleOutput.label(ofQuantile: $0)) }
        sketches = [DDSketch?](repeating: nil, count: groupCount)
    }

    mutating func add(_ run: SeriesRun, to group: Int) {
        var sketch = sketches[group] ?? DDSketch()
        // One holder of the buckets, so that they are not copied.
        sketches[group] = nil
        for sample in run.samples { sketch.add(sample.value) }
        sketches[group] = sketch
    }

    func forEachResult(of group: Int, _ body: (Double, String?) -> Void) {
        guard let sketch = sketches[group] else { return }
        for (quantile, label) in quantiles {
            if let value = sketch.quantile(quantile) { body(value, label) }
        }
    }
}
