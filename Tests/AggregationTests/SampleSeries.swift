import Aggregation
import MetricModel
import TestKit

/// A series as tests write it: seconds and values.
struct SampleSeries {
    var labels: Labels
    var samples: [Sample]

    init(_ labels: Labels, _ samples: [(seconds: Double, value: Double)]) {
        self.labels = labels
        self.samples = samples.map {
            Sample(timestamp: Timestamp(milliseconds: Int64($0.seconds * 1000)), value: $0.value)
        }
    }

    /// A counter that grows and now and then begins anew.
    static func counter(_ labels: Labels, seconds: Int, every step: Int, _ random: inout SeededGenerator)
        -> SampleSeries
    {
        var value = Double(Int.random(in: 0...1000, using: &random))
        return SampleSeries(
            labels,
            stride(from: 0, to: seconds, by: step).map { second in
                value += Double(Int.random(in: 0...50, using: &random)) / 4
                if Int.random(in: 0..<12, using: &random) == 0 { value = Double(Int.random(in: 0...5, using: &random)) }
                return (Double(second), value)
            })
    }
}

extension Window {
    init(seconds: Range<Int64>) {
        self.init(
            start: Timestamp(milliseconds: seconds.lowerBound * 1000),
            end: Timestamp(milliseconds: seconds.upperBound * 1000))
    }
}

extension AggregationRule {
    func evaluate(_ window: Window, _ series: [SampleSeries]) -> RuleResult {
        evaluate(window, series: series.map { ($0.labels, $0.samples) })
    }

    /// A rule for all series of some metrics.
    static func of(
        _ metrics: String..., interval: Duration = .seconds(60), every: Duration? = nil, grouping: Grouping = .each,
        outputs: [RuleOutput], lateness: Duration? = nil, staleness: Duration? = nil, record: String? = nil,
        labels: Labels = [:]
    ) throws -> AggregationRule {
        try AggregationRule(
            selectors: metrics.map { [LabelMatcher(Label.metricName, equals: $0)] },
            windows: try WindowSpecification(interval: interval, every: every ?? interval), grouping: grouping,
            outputs: outputs, lateness: lateness, staleness: staleness, record: record, labels: labels)
    }
}

extension RuleResult {
    /// The rows as lines, sorted: `series value`.
    var lines: [String] { rows.map { "\($0.labels) \(TextFormat.text($0.value))" }.sorted() }

    /// The only row's value.
    var onlyValue: Double? { rows.count == 1 ? rows[0].value : nil }
}
