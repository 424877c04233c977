public import MetricModel

/// The groups of a rule, found once per series: afterwards a series is known by its group's number.
///
/// A plain value, kept as long as the rule; whoever evaluates remembers each series' group.
public struct RuleGroups: Sendable {
    /// The number of a group of one rule, from 0. It means nothing to another `RuleGroups`.
    public struct Index: Hashable, Sendable {
        public let number: Int
    }

    public let rule: AggregationRule
    private var numbers: [Labels: Int] = [:]
    /// What the series of each group have in common, the metric's name among it unless `record` gives one.
    private(set) var keys: [Labels] = []

    public init(of rule: AggregationRule) {
        self.rule = rule
    }

    public var count: Int { keys.count }

    /// The group of a series; nil when the rule does not take it.
    public mutating func group(of series: Labels) -> Index? {
        guard rule.matches(series) else { return nil }
        let key = key(of: series)
        if let number = numbers[key] { return Index(number: number) }
        numbers[key] = keys.count
        keys.append(key)
        return Index(number: keys.count - 1)
    }

    private func key(of series: Labels) -> Labels {
        var key =
            switch rule.grouping {
            case .each: series
            case .by(let names): series.keeping(names + [Label.metricName])
            case .without(let names): series.removing(names)
            }
        if rule.record != nil { key = key.removing(Label.metricName) }
        // Where the results get this label, two groups must not differ in it alone.
        if rule.hasQuantiles { key = key.removing(AggregationRule.quantileLabel) }
        return key.removing(rule.labels.map(\.name))
    }
}

extension AggregationRule {
    var hasQuantiles: Bool { outputs.contains { if case .quantiles = $0 { true } else { false } } }
}
