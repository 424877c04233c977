internal import MetricModel

extension AggregationRule {
    /// Throws for a rule that cannot be what was meant.
    func check() throws(RuleError) {
        if name.isEmpty { throw error("name", "", "the name is empty; leave it out or give one") }
        if selectors.isEmpty { throw error("match", "", "no selector; name a metric, such as node_load1") }
        for selector in selectors where selector.allSatisfy(\.matchesEmpty) {
            throw error("match", Self.text(of: selector), "every series matches; name a metric or a label's value")
        }
        try checkGrouping()
        try checkOutputs()
        try checkNames()
        if lateness < .zero || lateness > .seconds(86_400) {
            throw error("lateness", lateness.shortText, "write a duration from 0s to 1d, such as 10s")
        }
        if staleness < windows.interval || staleness > .seconds(7 * 86_400) {
            throw error(
                "staleness_interval", staleness.shortText,
                "write a duration from the interval (\(windows.interval.shortText)) to 7d")
        }
    }

    private func checkGrouping() throws(RuleError) {
        switch grouping {
        case .each: return
        case .by(let names):
            if names.contains("") { throw error("by", "", "a label's name is empty") }
        case .without(let names):
            if names.isEmpty {
                throw error(
                    "without", "", "no labels; leave it out for one result per series, or write by: [] for one in all")
            }
            if names.contains("") { throw error("without", "", "a label's name is empty") }
            if names.contains(Label.metricName) {
                throw error("without", Label.metricName, "to aggregate several metrics into one, name it with record")
            }
        }
    }

    private func checkOutputs() throws(RuleError) {
        if outputs.isEmpty {
            throw error("outputs", "", "no outputs; known are \(RuleOutput.names.joined(separator: ", "))")
        }
        var names: Set<String> = []
        for output in outputs where !names.insert(output.name).inserted {
            throw error("outputs", output.description, "\(output.name) stands there twice; write it once")
        }
        for case .quantiles(let quantiles) in outputs {
            if quantiles.isEmpty || quantiles.contains(where: { !($0 >= 0 && $0 <= 1) }) {
                throw error("outputs", "quantiles", "write numbers between 0 and 1, such as quantiles(0.5, 0.99)")
            }
            if labels[Self.quantileLabel] != nil {
                throw error("labels", Self.quantileLabel, "quantiles set this label themselves; choose another name")
            }
            if case .by(let names) = grouping, names.contains(Self.quantileLabel) {
                throw error("by", Self.quantileLabel, "quantiles set this label themselves; group by others")
            }
        }
    }

    private func checkNames() throws(RuleError) {
        if labels[Label.metricName] != nil {
            throw error("labels", Label.metricName, "name the result with record")
        }
        guard let record else { return }
        if !Label.isPlainMetricName(record) {
            throw error(
                "record", record, "no metric name; use letters, digits, _ and :, such as instance:node_cpu:rate1m")
        }
        if outputs.count > 1 {
            throw error(
                "record", record, "one name for \(outputs.count) outputs; write a rule for each, or leave record out")
        }
    }

    private func error(_ key: String, _ value: String, _ reason: String) -> RuleError {
        RuleError(rule: name, key: key, value: value, reason: reason)
    }

    /// The label that tells quantiles apart.
    static let quantileLabel = "quantile"
}
