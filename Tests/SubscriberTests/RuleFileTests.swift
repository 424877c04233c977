import Aggregation
import MetricModel
import Subscriber
import TestKit
import Testing

@Suite("Rule files")
struct RuleFileTests {
    private func file(_ text: String) throws -> RuleFile { try RuleFile(parsing: text, path: "rules.yaml") }

    private func problems(_ text: String) -> String {
        do throws(RuleFileError) {
            _ = try RuleFile(parsing: text, path: "rules.yaml")
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test("every example of docs/rules.md is read, and gives what stands there")
    func document() throws {
        let document = try RulesDocument()
        #expect(document.examples.count >= 5)
        var checkCount = 0
        for example in document.examples {
            let file = try RuleFile(parsing: example.yaml, path: "docs/rules.md:\(example.line)")
            #expect(file.rules.count + file.conditions.count > 0)
            for check in try example.checks(file) {
                #expect(check.found == check.expected, "docs/rules.md:\(example.line): \(check.what)")
                checkCount += 1
            }
        }
        #expect(checkCount >= 5)
    }

    @Test("every output has its line in docs/rules.md")
    func documentedOutputs() throws {
        let text = try RulesDocument.text()
        for name in RuleOutput.names {
            let word = String(name.prefix { $0 != "(" })
            #expect(text.contains("| `" + word), "\(word) is not documented")
        }
    }

    @Test("all keys are read")
    func keys() throws {
        let file = try file(
            """
            rules:
              - name: cpu
                match:
                  - node_cpu_seconds_total{mode!="idle"}
                  - '{__name__=~"node_disk_.*"}'
                interval: 5m
                every: 1m
                without: [cpu, mode]
                outputs: [increase, "quantiles(0.5, 0.99)"]
                lateness: 30s
                staleness_interval: 20m
                labels: {team: core, tier: 1}
              - match: up
                interval: 1m
                by: instance
                outputs: max
                record: instance:up:max1m
            alerts:
              - alert: HighLoad
                expr: node_load1{instance="a"} >= 1.5e1
                for: 5m
                labels:
                  severity: page
                annotations:
                  summary: "load is high: look"
            """)
        let rule = file.rules[0].content
        #expect(file.rules.map(\.line) == [2, 13])
        #expect(rule.name == "cpu")
        #expect(rule.selectors.map(\.count) == [2, 1])
        #expect(rule.matches(["__name__": "node_disk_io_now"]))
        #expect(rule.windows == (try WindowSpecification(interval: .seconds(300), every: .seconds(60))))
        #expect(rule.grouping == .without(["cpu", "mode"]))
        #expect(rule.outputs == [.increase, .quantiles([0.5, 0.99])])
        #expect(rule.lateness == .seconds(30))
        #expect(rule.staleness == .seconds(1200))
        #expect(rule.labels == ["team": "core", "tier": "1"])
        #expect(file.rules[1].content.name == "instance:up:max1m")
        #expect(file.rules[1].content.grouping == .by(["instance"]))
        let condition = file.conditions[0].content
        #expect(condition.name == "HighLoad")
        #expect(condition.description == #"node_load1{instance="a"} >= 15 for 5m"#)
        #expect(condition.labels == ["severity": "page"])
        #expect(condition.annotations == [Label("summary", "load is high: look")])
    }

    @Test("a list alone is read as VictoriaMetrics reads it")
    func list() throws {
        let file = try file(
            """
            - match: 'http_request_duration_seconds_count'
              interval: 1m
              without: [instance]
              outputs: [increase, count_series]
            """)
        let rule = file.rules[0].content
        #expect(
            rule.outputName(of: "http_request_duration_seconds_count", .increase)
                == "http_request_duration_seconds_count:1m_without_instance_increase")
    }

    private static let good = "match: m\n  interval: 1m\n  outputs: [max]\n"

    @Test(
        "what is wrong is said with its line, and what would be right",
        arguments: [
            (
                "- match: m\n  interval: 1m\n  output: [max]\n",
                "rules.yaml:3: a rule has no 'output': known are name, match"
            ),
            (
                "- match: m\n  interval: 1m\n  dedup_interval: 1m\n",
                "rules.yaml:3: a rule has no 'dedup_interval': of two"
            ),
            ("- match: m\n  interval: 1m\n", "rules.yaml:1: 'outputs' is missing, such as outputs: [avg, max]"),
            ("- interval: 1m\n  outputs: [max]\n", "rules.yaml:1: 'match' is missing"),
            ("- match: m\n  outputs: [max]\n", "rules.yaml:1: 'interval' is missing"),
            (
                "- match: m\n  interval: 90\n  outputs: [max]\n",
                "rules.yaml:2: interval: '90' is no duration; write whole"
            ),
            (
                "- match: m\n  interval: 1m\n  every: 25s\n  outputs: [max]\n",
                "rules.yaml:3: every: an interval of 1m is no"
            ),
            ("- match: m{\n  interval: 1m\n  outputs: [max]\n", "rules.yaml:1: match: 1:3: unexpected end of query"),
            (
                "- match: m\n  interval: 1m\n  outputs: [sum]\n",
                "rules.yaml:3: outputs: there is no output 'sum'; write sum_samples"
            ),
            ("- match: m\n  interval: 1m\n  outputs: []\n", "rules.yaml:3: rule 'm:1m', outputs: no outputs"),
            (
                "- match: m\n  interval: 1m\n  outputs: [max, min]\n  record: x\n",
                "rules.yaml:4: rule 'x', record 'x': one name"
            ),
            (
                "- match: m\n  interval: 1m\n  by: [a]\n  without: [b]\n  outputs: [max]\n",
                "rules.yaml:4: without: a rule has either"
            ),
            ("- match: m\n  interval: 1m\n  by: {a: b}\n  outputs: [max]\n", "rules.yaml:3: by: should be one value"),
            ("- match: m\n  interval:\n  outputs: [max]\n", "rules.yaml:2: interval: has no value"),
            ("- just text\n", "rules.yaml:1: this should hold keys and values"),
            ("rules: up\n", "rules.yaml:1: 'rules' should be a list"),
            ("groups:\n  - name: x\n", "rules.yaml:1: 'groups' is Prometheus's format"),
            ("alarms:\n  - alert: x\n", "rules.yaml:1: there is no section 'alarms'; known are rules and alerts"),
            ("text\n", "rules.yaml:1: this is neither a list"),
            ("", "rules.yaml: there is nothing in it"),
            ("rules: [\n", "rules.yaml: this is no valid YAML"),
            ("- match: m\n  match: n\n", "match"),
            ("alerts:\n  - alert: x\n", "rules.yaml:2: 'expr' is missing"),
            ("alerts:\n  - expr: up\n", "rules.yaml:2: expr: 'up' has no comparison"),
            (
                "alerts:\n  - expr: up == 0 for 5m\n",
                "rules.yaml:2: expr: write the duration on a line of its own: 'for: 5m'"
            ),
            (
                "alerts:\n  - expr: up == 0\n    threshold: 3\n",
                "rules.yaml:3: an alert has no 'threshold': write it into"
            ),
            ("alerts:\n  - expr: up == 0\n    for: soon\n", "rules.yaml:3: for: 'soon' is no duration"),
        ])
    func errors(text: String, message: String) {
        #expect(problems(text).contains(message), "\(problems(text))")
    }

    @Test("all that is wrong is said at once, and names are unique")
    func severalErrors() {
        let text = problems("- \(Self.good)- \(Self.good)- match: a\n  interval: x\n")
        #expect(
            text.contains("rules.yaml:4: two rules are called 'm:1m' (the other one in line 1); give each a 'name'"))
        #expect(text.contains("rules.yaml:8: interval: 'x' is no duration"))
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test("a file that is not there is named")
    func missing() throws {
        let directory = try TemporaryDirectory("weir-rules")
        let path = directory.appending("none.yaml")
        #expect(throws: RuleFileError.self) { try RuleFile(path: path) }
        do {
            _ = try RuleFile(path: path)
        } catch {
            #expect("\(error)" == "\(path): there is no such file")
        }
    }

    @Test(
        "conditions are read as people write them",
        arguments: [
            ("node_load1 > 8", "node_load1 > 8"), ("node_load1>8 for 5m", "node_load1 > 8 for 5m"),
            (#"up{job="a > b{",x!~"}"} == 0"#, #"up{job="a > b{",x!~"}"} == 0"#), ("up != 1", "up != 1"),
            (#"{"my.temp",room='it\'s'} <= -2.5"#, #"{__name__="my.temp",room="it's"} <= -2.5"#),
            ("a:b  <  1e3  for  1h30m", "a:b < 1000 for 1h30m"), ("up >= +Inf", "up >= +Inf"),
        ])
    func conditions(text: String, canonical: String) throws {
        #expect(try ConditionText(parsing: text).condition().description == canonical)
    }

    @Test(
        "what is no condition is said",
        arguments: [
            ("node_load1", "no comparison"), ("> 8", "unexpected end of query"),
            ("up >", "a number should stand after >"),
            ("up > high", "not 'high'"), ("up > NaN", "not 'NaN'"), ("up > 1 for", "needs a duration"),
            ("up > 1 for ever", "'ever' is no duration"), ("up > 1 and down", "'and down' stands after"),
            ("up => 1", "no comparison"), ("up = 1", "no comparison"), ("sum(up) > 1", "unexpected \"(\""),
        ])
    func noConditions(text: String, message: String) {
        do throws(ConditionTextError) {
            _ = try ConditionText(parsing: text)
            Issue.record("'\(text)' was read")
        } catch {
            #expect("\(error)".contains(message), "\(error)")
        }
    }
}
