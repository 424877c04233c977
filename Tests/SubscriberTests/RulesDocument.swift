import Aggregation
import FoundationEssentials
import MetricModel
import Subscriber

/// The examples of docs/rules.md: a YAML block, then a text block in a little language like promqltest's:
///
///     load 10s                                  samples from second 0 on, this far apart; _ is none
///       m{a="1"} 0 10 _ 30
///     window 0s 1m                              evaluates all rules over [0s, 1m)
///       m:1m_increase{a="1"} 30                 and these are all results
///     alerts                                    feeds the samples to all conditions in order of time
///       m{a="1"} pending@10s firing@30s
struct RulesDocument {
    struct Example {
        var line: Int
        var yaml: String
        var script: String
    }

    let examples: [Example]

    static func text() throws -> String {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/rules.md").path
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    init() throws {
        let lines = try Self.text().split(separator: "\n", omittingEmptySubsequences: false)
        var examples: [Example] = []
        var block: (kind: Substring, line: Int, text: [Substring])?
        for (index, line) in lines.enumerated() {
            guard line.hasPrefix("```") else {
                block?.text.append(line)
                continue
            }
            if let open = block {
                let text = open.text.joined(separator: "\n")
                switch open.kind {
                case "yaml": examples.append(Example(line: open.line, yaml: text, script: ""))
                case "text" where !examples.isEmpty: examples[examples.count - 1].script += text + "\n"
                default: break
                }
                block = nil
            } else {
                block = (line.dropFirst(3), index + 1, [])
            }
        }
        self.examples = examples
    }
}

extension RulesDocument.Example {
    /// What a line of the script says, and what the rules say.
    struct Check {
        var what: String
        var expected: [String]
        var found: [String]
    }

    func checks(_ file: RuleFile) throws -> [Check] {
        var checks: [Check] = []
        var series: [(labels: Labels, samples: [Sample])] = []
        var step = Duration.zero
        var command: [String] = []
        var expected: [String] = []
        func finish() throws {
            switch command.first {
            case "window":
                let window = Window(start: try time(command[1]), end: try time(command[2]))
                let rows = file.rules.flatMap { $0.content.evaluate(window, series: series).rows }
                let found = rows.map { "\($0.labels) \(TextFormat.text($0.value))" }.sorted()
                checks.append(Check(what: command.joined(separator: " "), expected: expected.sorted(), found: found))
            case "alerts":
                checks.append(Check(what: "alerts", expected: expected.sorted(), found: alerts(file, series)))
            default: break
            }
            expected = []
        }
        for line in script.split(separator: "\n") {
            guard line.hasPrefix("  ") else {
                try finish()
                command = line.split(separator: " ").map(String.init)
                if command.first == "load" { step = try Duration(text: command[1]) }
                continue
            }
            let text = String(line.drop { $0 == " " })
            guard command.first == "load" else {
                expected.append(text)
                continue
            }
            // The series ends at its brace, or at the first blank.
            let end =
                text.firstIndex(of: "}").map { text.index(after: $0) } ?? text.firstIndex(of: " ") ?? text.endIndex
            let values = text[end...].split(separator: " ").map { Double($0) }
            let samples = values.enumerated().compactMap { index, value in
                value.map { Sample(timestamp: Timestamp(milliseconds: 0) + step * index, value: $0) }
            }
            series.append((try Labels(parsing: String(text[..<end])), samples))
        }
        try finish()
        return checks
    }

    private func time(_ text: String) throws -> Timestamp { Timestamp(milliseconds: 0) + (try Duration(text: text)) }

    private func alerts(_ file: RuleFile, _ series: [(labels: Labels, samples: [Sample])]) -> [String] {
        file.conditions.map(\.content).flatMap { condition in
            var tracker = AlertTracker<Labels>(condition)
            return series.filter { condition.matches($0.labels) }.map { labels, samples in
                let events = samples.flatMap { tracker.observe($0, of: labels) }
                let texts = events.map { "\($0.state.rawValue)@\(($0.time - Timestamp(milliseconds: 0)).shortText)" }
                return ([labels.description] + texts).joined(separator: " ")
            }
        }.sorted()
    }
}
