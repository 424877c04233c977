import Aggregation
import MetricModel
import Subscriber

/// Says in words what the rules of a file do, and what they will emit.
struct RuleFilePrinter {
    private let file: RuleFile

    init(_ file: RuleFile) {
        self.file = file
    }

    var text: String {
        let rules = file.rules.map { block("rule \($0.content.name)", $0.line, lines(of: $0.content)) }
        let alerts = file.conditions.map { block("alert \($0.content.name)", $0.line, lines(of: $0.content)) }
        let counts = [(file.rules.count, "rule"), (file.conditions.count, "alert")].filter { $0.0 > 0 }.map {
            "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")"
        }
        let summary = counts.isEmpty ? "no rules" : counts.joined(separator: ", ")
        return (["\(file.path): \(summary)"] + rules + alerts).joined(separator: "\n\n")
    }

    private func block(_ title: String, _ line: Int, _ lines: [(String, String)]) -> String {
        let width = lines.map(\.0.count).max() ?? 0
        let rows = lines.map { name, text in
            "  \(name)\(String(repeating: " ", count: width - name.count))  \(text)"
        }
        return (["\(title) (line \(line))"] + rows).joined(separator: "\n")
    }

    private func lines(of rule: AggregationRule) -> [(String, String)] {
        let windows =
            rule.windows.isTumbling
            ? rule.windows.interval.shortText
            : "\(rule.windows.interval.shortText) every \(rule.windows.every.shortText)"
        var lines = rule.selectors.enumerated().map { ($0 == 0 ? "match" : "or", AggregationRule.text(of: $1)) }
        lines.append(("windows", "\(windows), evaluated when event time is \(rule.lateness.shortText) past their end"))
        lines.append(("groups", "\(rule.grouping)"))
        if rule.needsPrevious {
            lines.append(
                ("counters", "from the last sample before, if it is at most \(rule.staleness.shortText) older"))
        }
        for (index, output) in rule.outputs.enumerated() {
            lines.append((index == 0 ? "emits" : "", names(rule, output) + labels(rule, output)))
        }
        return lines
    }

    /// The result's name for every metric that the selectors name.
    private func names(_ rule: AggregationRule, _ output: RuleOutput) -> String {
        let metrics = rule.selectors.map { selector in
            let values = selector.lazy.filter { $0.name == Label.metricName }.compactMap(\.onlyValues).first
            return values ?? ["METRIC"]
        }
        var names: [String] = []
        for metric in metrics.joined() {
            let name = rule.outputName(of: metric, output)
            if !names.contains(name) { names.append(name) }
        }
        return names.joined(separator: " | ")
    }

    private func labels(_ rule: AggregationRule, _ output: RuleOutput) -> String {
        var labels: [String] =
            switch rule.grouping {
            case .each: ["the labels of the series"]
            case .by(let names): names.filter { rule.labels[$0] == nil }
            case .without(let names): ["the labels of the series but \(names.joined(separator: " and "))"]
            }
        labels += rule.labels.map(\.description)
        if case .quantiles(let quantiles) = output {
            labels.append(
                "quantile=" + quantiles.map { "\"\(RuleOutput.label(ofQuantile: $0))\"" }.joined(separator: "|"))
        }
        return labels.isEmpty ? "" : "{\(labels.joined(separator: ", "))}"
    }

    private func lines(of condition: ThresholdCondition) -> [(String, String)] {
        var lines = [("when", condition.expression)]
        lines.append(
            ("fires", condition.duration > .zero ? "when that held for \(condition.duration.shortText)" : "at once"))
        if !condition.labels.isEmpty {
            lines.append(("labels", condition.labels.map(\.description).joined(separator: ", ")))
        }
        return lines
    }
}
