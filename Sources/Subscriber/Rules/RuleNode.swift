internal import Aggregation
internal import MetricModel
internal import Yams

/// What is wrong with one rule, and in which line.
struct RuleNodeError: Error {
    let line: Int?
    let message: String
}

/// One rule of the file as YAML has it: reads the values of its keys and names key and line where one is not right.
struct RuleNode {
    private let mapping: Node.Mapping
    /// Where the rule begins, counted from 1.
    let line: Int

    init(_ node: Node) throws(RuleNodeError) {
        line = node.mark?.line ?? 1
        guard let mapping = node.mapping else {
            throw RuleNodeError(line: line, message: "this should hold keys and values, such as 'interval: 1m'")
        }
        self.mapping = mapping
    }

    /// Keys that people know from elsewhere, and what to do here instead.
    private static let otherKeys = [
        "expr": "expressions are not evaluated here; select with 'match' and compute with 'outputs'",
        "alert": "alerts stand in their own list, 'alerts:'",
        "annotations": "only alerts have annotations",
        "for": "only alerts have 'for'; a window waits for late samples with 'lateness'",
        "threshold": "write it into 'expr': node_load1 > 8",
        "keep_firing_for": "an alert is resolved by the first sample that does not meet it",
        "dedup_interval":
            "of two samples of one series and time the first is kept; for one value per series use sum_last",
        "keep_metric_names": "name the result with 'record'",
        "ignore_old_samples": "late samples are merged into their windows; 'lateness' says how long a window waits",
        "ignore_first_intervals": "leave it out: windows are computed from stored samples, so the first one is whole",
        "ignore_first_sample_interval": "leave it out: a new counter counts from its first sample",
        "enable_windows": "leave it out: windows always go by the samples' own times",
        "flush_on_shutdown": "leave it out: windows go on after a restart",
        "no_align_flush_to_interval": "windows are always aligned to their interval",
        "drop_input_labels": "list the labels in 'without'",
        "input_relabel_configs": "relabel where the samples are published",
        "output_relabel_configs": "use 'record', 'labels', 'by' and 'without'",
    ]

    func check(keys: [String], of what: String) throws(RuleNodeError) {
        for (key, _) in mapping {
            let name = key.string ?? ""
            if keys.contains(name) { continue }
            let hint = Self.otherKeys[name] ?? "known are \(keys.joined(separator: ", "))"
            throw RuleNodeError(line: key.mark?.line ?? line, message: "\(what) has no '\(name)': \(hint)")
        }
    }

    // MARK: Values

    /// The text of a scalar; nil when the key is not there.
    func text(_ key: String) throws(RuleNodeError) -> String? {
        guard let node = mapping[key] else { return nil }
        guard let text = node.scalar?.string else { throw wrong(key, "should be one value, not a list or keys") }
        if text.isEmpty { throw wrong(key, "has no value; leave the key out or give one") }
        return text
    }

    /// The texts of a list, or one scalar's.
    func texts(_ key: String) throws(RuleNodeError) -> [String]? {
        guard let node = mapping[key] else { return nil }
        guard let list = node.sequence else { return try text(key).map { [$0] } }
        var texts: [String] = []
        for element in list {
            guard let text = element.scalar?.string, !text.isEmpty else {
                throw RuleNodeError(
                    line: element.mark?.line ?? line(of: key),
                    message: "\(key): the elements of this list should be texts")
            }
            texts.append(text)
        }
        return texts
    }

    func duration(_ key: String) throws(RuleNodeError) -> Duration? {
        guard let text = try text(key) else { return nil }
        return try parse(key, nil) { () throws(DurationTextError) in try Duration(text: text) }
    }

    func duration(_ key: String, required hint: String) throws(RuleNodeError) -> Duration {
        guard let duration = try duration(key) else { throw missing(key, hint) }
        return duration
    }

    /// Names and texts, as labels.
    func labels(_ key: String) throws(RuleNodeError) -> Labels {
        guard let node = mapping[key] else { return Labels() }
        guard let pairs = node.mapping else {
            throw wrong(key, "should hold names and values, such as 'severity: page'")
        }
        var labels: [Label] = []
        for (name, value) in pairs {
            guard let name = name.scalar?.string, let value = value.scalar?.string else {
                throw wrong(key, "should hold names and values, such as 'severity: page'")
            }
            labels.append(Label(name, value))
        }
        let pairsAsLabels = labels
        return try parse(key, nil) { () throws(LabelsError) in try Labels(pairsAsLabels) }
    }

    // MARK: Errors

    /// Reads a value of a key with a parser whose errors say what is wrong with it.
    func parse<Value, Failure: Error & CustomStringConvertible>(
        _ key: String, _ text: String?, _ body: () throws(Failure) -> Value
    ) throws(RuleNodeError) -> Value {
        do throws(Failure) {
            return try body()
        } catch {
            throw wrong(key, "\(error)")
        }
    }

    /// Makes the rule of its parts; an error about one of its keys gets that key's line.
    func make<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as RuleError {
            throw RuleNodeError(line: line(of: error.key), message: "\(error)")
        }
    }

    func missing(_ key: String, _ hint: String) -> RuleNodeError {
        RuleNodeError(line: line, message: "'\(key)' is missing, \(hint)")
    }

    func wrong(_ key: String, _ message: String) -> RuleNodeError {
        RuleNodeError(line: line(of: key), message: "\(key): \(message)")
    }

    private func line(of key: String) -> Int {
        mapping.first { $0.key.string == key }?.key.mark?.line ?? line
    }
}
