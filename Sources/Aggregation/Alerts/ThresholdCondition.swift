public import MetricModel

/// A condition on each series that matches a selector: `node_load1{instance="a"} > 8 for 5m`.
///
/// The words are those of Prometheus's alerting rules (`alert`, `expr`, `for`, `labels`, `annotations`), with an `expr` of one
/// selector, one comparison and one number. Checked when it is made. A plain value.
public struct ThresholdCondition: Hashable, Sendable {
    /// As in PromQL; NaN is unequal to everything and neither greater nor less.
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        case greater = ">"
        case greaterOrEqual = ">="
        case less = "<"
        case lessOrEqual = "<="
        case equal = "=="
        case notEqual = "!="

        func holds(_ value: Double, _ threshold: Double) -> Bool {
            switch self {
            case .greater: value > threshold
            case .greaterOrEqual: value >= threshold
            case .less: value < threshold
            case .lessOrEqual: value <= threshold
            case .equal: value == threshold
            case .notEqual: value != threshold
            }
        }
    }

    /// Unique among the conditions of a subscriber.
    public let name: String
    public let matchers: [LabelMatcher]
    public let comparison: Comparison
    public let threshold: Double
    /// How long it has to hold before it fires; zero: at once.
    public let duration: Duration
    /// Set on the alerts, besides the labels of the series.
    public let labels: Labels
    /// Text for people, sent with the alerts.
    public let annotations: [Label]

    /// - Parameter name: nil for the condition's text.
    /// - Throws: ``RuleError``, which names the key and what would be right.
    public init(
        name: String? = nil, matchers: [LabelMatcher], comparison: Comparison, threshold: Double,
        duration: Duration = .zero, labels: Labels = Labels(), annotations: [Label] = []
    ) throws(RuleError) {
        self.matchers = matchers
        self.comparison = comparison
        self.threshold = threshold
        self.duration = duration
        self.labels = labels
        self.annotations = annotations
        let expression =
            "\(AggregationRule.text(of: matchers)) \(comparison.rawValue) \(TextFormat.text(threshold))"
        self.name = name ?? expression + (duration > .zero ? " for \(duration.shortText)" : "")
        if self.name.isEmpty { throw error("alert", "", "the name is empty; leave it out or give one") }
        if matchers.allSatisfy(\.matchesEmpty) {
            throw error("expr", expression, "every series matches; name a metric or a label's value")
        }
        if duration < .zero || duration > .seconds(31 * 86_400) {
            throw error("for", duration.shortText, "write a duration from 0s to 31d, such as 5m")
        }
        if labels[Label.metricName] != nil {
            throw error("labels", Label.metricName, "alerts are told apart by 'alert', not by a metric's name")
        }
    }

    public func matches(_ series: Labels) -> Bool {
        matchers.allSatisfy { $0.matches(series) }
    }

    /// Whether the comparison holds for a value.
    public func holds(for value: Double) -> Bool { comparison.holds(value, threshold) }

    /// What is compared, as one writes it: `node_load1{instance="a"} > 8`.
    public var expression: String {
        "\(AggregationRule.text(of: matchers)) \(comparison.rawValue) \(TextFormat.text(threshold))"
    }

    private func error(_ key: String, _ value: String, _ reason: String) -> RuleError {
        RuleError(rule: name, key: key, value: value, reason: reason)
    }
}

extension ThresholdCondition: CustomStringConvertible {
    public var description: String { expression + (duration > .zero ? " for \(duration.shortText)" : "") }
}
