internal import Aggregation
internal import MetricModel
internal import PromQL
internal import Yams

/// Turns the nodes of a rule file into rules and conditions, and gathers what is wrong instead of stopping at the first.
struct RuleFileReader {
    private(set) var rules: [RuleFile.Entry<AggregationRule>] = []
    private(set) var conditions: [RuleFile.Entry<ThresholdCondition>] = []
    private(set) var problems: [RuleFileError.Problem] = []

    mutating func read(_ root: Node) {
        if root.sequence != nil {
            readList(root, "rules") { try $0.readRule($1) }
        } else if let sections = root.mapping {
            for (key, value) in sections {
                switch key.string {
                case "rules": readList(value, "rules") { try $0.readRule($1) }
                case "alerts": readList(value, "alerts") { try $0.readCondition($1) }
                case "groups":
                    report(
                        key,
                        "'groups' is Prometheus's format, whose expressions are not evaluated here; write a list "
                            + "'rules' with match, interval and outputs, and a list 'alerts' with alert, expr and for")
                default: report(key, "there is no section '\(key.string ?? "")'; known are rules and alerts")
                }
            }
        } else {
            report(root, "this is neither a list of rules nor the sections 'rules' and 'alerts'; see docs/rules.md")
        }
        checkNames(rules.map { ($0.content.name, $0.line) }, "rules", key: "name")
        checkNames(conditions.map { ($0.content.name, $0.line) }, "conditions", key: "alert")
    }

    private mutating func readList(
        _ node: Node, _ section: String, _ read: (inout RuleFileReader, RuleNode) throws -> Void
    ) {
        guard let list = node.sequence else {
            return report(node, "'\(section)' should be a list: lines that begin with '- '")
        }
        for element in list {
            do {
                try read(&self, RuleNode(element))
            } catch let problem as RuleNodeError {
                problems.append(RuleFileError.Problem(line: problem.line, message: problem.message))
            } catch {
                report(element, "\(error)")
            }
        }
    }

    private mutating func checkNames(_ names: [(name: String, line: Int)], _ what: String, key: String) {
        var lines: [String: Int] = [:]
        for (name, line) in names {
            if let first = lines.updateValue(line, forKey: name) {
                problems.append(
                    RuleFileError.Problem(
                        line: line,
                        message:
                            "two \(what) are called '\(name)' (the other one in line \(first)); give each a '\(key)'"))
            }
        }
    }

    private mutating func report(_ node: Node, _ message: String) {
        problems.append(RuleFileError.Problem(line: node.mark?.line, message: message))
    }

    // MARK: One rule, one condition

    private static let ruleKeys = [
        "name", "match", "interval", "every", "by", "without", "outputs", "lateness", "staleness_interval", "record",
        "labels",
    ]
    private static let conditionKeys = ["alert", "expr", "for", "labels", "annotations"]

    private mutating func readRule(_ node: RuleNode) throws {
        try node.check(keys: Self.ruleKeys, of: "a rule")
        let interval = try node.duration("interval", required: "write a duration, such as interval: 1m")
        let every = try node.duration("every")
        guard let match = try node.texts("match") else { throw node.missing("match", "such as match: node_load1") }
        guard let outputs = try node.texts("outputs") else {
            throw node.missing(
                "outputs", "such as outputs: [avg, max]; known are \(RuleOutput.names.joined(separator: ", "))")
        }
        let selectors = try match.map { text in
            try node.parse("match", text) { () throws(PromQLError) in try VectorSelector(parsing: text).matchers }
        }
        let parsed = try outputs.map { text in
            try node.parse("outputs", text) { () throws(RuleOutputError) in try RuleOutput(parsing: text) }
        }
        let windows = try node.parse(every == nil ? "interval" : "every", nil) { () throws(WindowSpecificationError) in
            try WindowSpecification(interval: interval, every: every ?? interval)
        }
        let grouping = try grouping(of: node)
        let rule = try node.make {
            try AggregationRule(
                name: try node.text("name"), selectors: selectors, windows: windows, grouping: grouping,
                outputs: parsed,
                lateness: try node.duration("lateness"), staleness: try node.duration("staleness_interval"),
                record: try node.text("record"), labels: try node.labels("labels"))
        }
        rules.append(RuleFile.Entry(content: rule, line: node.line))
    }

    private func grouping(of node: RuleNode) throws -> AggregationRule.Grouping {
        switch (try node.texts("by"), try node.texts("without")) {
        case (nil, nil): return .each
        case (let by?, nil): return .by(by)
        case (nil, let without?): return .without(without)
        case (.some, .some): throw node.wrong("without", "a rule has either 'by' or 'without', not both")
        }
    }

    private mutating func readCondition(_ node: RuleNode) throws {
        try node.check(keys: Self.conditionKeys, of: "an alert")
        guard let expression = try node.text("expr") else {
            throw node.missing("expr", "such as expr: node_load1 > 8")
        }
        let parsed = try node.parse("expr", expression) { () throws(ConditionTextError) in
            try ConditionText(parsing: expression)
        }
        if let duration = parsed.duration {
            throw node.wrong("expr", "write the duration on a line of its own: 'for: \(duration.shortText)'")
        }
        let annotations = try node.labels("annotations")
        let condition = try node.make {
            try ThresholdCondition(
                name: try node.text("alert"), matchers: parsed.selector.matchers, comparison: parsed.comparison,
                threshold: parsed.threshold, duration: try node.duration("for") ?? .zero,
                labels: try node.labels("labels"), annotations: Array(annotations))
        }
        conditions.append(RuleFile.Entry(content: condition, line: node.line))
    }
}
