public import Aggregation
internal import FoundationEssentials
internal import Yams

/// A subscriber's rules: what it aggregates, and on which conditions it raises alerts. A value, read from YAML once:
///
///     rules:                       # or a list alone, as VictoriaMetrics stream aggregation has it
///       - match: node_cpu_seconds_total{mode!="idle"}
///         interval: 1m
///         by: [instance]
///         outputs: [rate_sum]
///     alerts:
///       - alert: HighLoad
///         expr: node_load1 > 8
///         for: 5m
///
/// All of it is in docs/rules.md.
public struct RuleFile: Sendable {
    /// A rule or a condition and the line where it begins.
    public struct Entry<Content: Sendable>: Sendable {
        public let content: Content
        /// Counted from 1.
        public let line: Int
    }

    /// What it came from, for messages.
    public let path: String
    public let rules: [Entry<AggregationRule>]
    public let conditions: [Entry<ThresholdCondition>]

    /// Reads a file.
    ///
    /// - Throws: ``RuleFileError`` with everything that is wrong with it. No rule of such a file is used.
    public init(path: String) throws(RuleFileError) {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            let isMissing = (error as? CocoaError)?.code == .fileReadNoSuchFile
            throw RuleFileError(
                path: path, line: nil, isMissing ? "there is no such file" : "the file cannot be read: \(error)")
        }
        try self.init(parsing: text, path: path)
    }

    /// Reads a file's text.
    public init(parsing text: String, path: String) throws(RuleFileError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw RuleFileError(path: path, line: nil, "this is no valid YAML: \(error)")
        }
        guard let root else { throw RuleFileError(path: path, line: nil, "there is nothing in it; see docs/rules.md") }
        var reader = RuleFileReader()
        reader.read(root)
        guard reader.problems.isEmpty else { throw RuleFileError(path: path, problems: reader.problems) }
        self.path = path
        rules = reader.rules
        conditions = reader.conditions
    }
}

/// All that is wrong with a rule file, line by line.
public struct RuleFileError: Error, Hashable, Sendable {
    public struct Problem: Hashable, Sendable {
        /// Counted from 1; nil when it is about the whole file.
        public let line: Int?
        public let message: String
    }

    public let path: String
    public let problems: [Problem]

    init(path: String, problems: [Problem]) {
        self.path = path
        self.problems = problems
    }

    init(path: String, line: Int?, _ message: String) {
        self.init(path: path, problems: [Problem(line: line, message: message)])
    }
}

extension RuleFileError: CustomStringConvertible {
    /// `path:line: message`, one after another, as compilers write them.
    public var description: String {
        problems.map { problem in
            "\(path)\(problem.line.map { ":\($0)" } ?? ""): \(problem.message)"
        }.joined(separator: "\n")
    }
}
