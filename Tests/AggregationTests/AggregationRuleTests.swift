import Aggregation
import MetricModel
import Testing

@Suite("Aggregation rules")
struct AggregationRuleTests {
    @Test("names are those of VictoriaMetrics stream aggregation")
    func names() throws {
        let rule = try AggregationRule.of(
            "http_requests_total", grouping: .by(["path", "instance", "__name__", "path"]), outputs: [.increase])
        #expect(
            rule.outputName(of: "http_requests_total", .increase) == "http_requests_total:1m_by_instance_path_increase")
        #expect(rule.name == "http_requests_total:1m_by_instance_path")
        let sliding = try AggregationRule.of(
            "m", interval: .seconds(300), every: .seconds(60), grouping: .without(["cpu"]), outputs: [.average])
        #expect(sliding.outputName(of: "m", .average) == "m:5m_every_1m_without_cpu_avg")
        #expect(try AggregationRule.of("m", outputs: [.max]).outputName(of: "m", .max) == "m:1m_max")
    }

    @Test("outputs are read as they are written")
    func outputs() throws {
        for name in RuleOutput.names.dropLast() { #expect(try RuleOutput(parsing: name).description == name) }
        let quantiles = try RuleOutput(parsing: "quantiles( 0.5,0.99 , 1)")
        #expect(quantiles == .quantiles([0.5, 0.99, 1]))
        #expect(quantiles.description == "quantiles(0.5, 0.99, 1)")
    }

    @Test(
        "an output that is none is named, with what it is called here",
        arguments: [
            ("sum", "sum_samples"), ("rate", "rate_sum"), ("total", "increase"), ("mean", "write avg"),
            ("p99", "known are count_samples"), ("quantiles", "quantiles(0.5, 0.99)"),
            ("quantiles()", "between 0 and 1"),
            ("quantiles(1.5)", "between 0 and 1"), ("quantiles(0.5, 0.5)", "different"),
            ("quantiles(a)", "between 0 and 1"),
            ("quantiles(nan)", "between 0 and 1"), ("quantiles(0.5", "no list of quantiles"),
        ])
    func unknownOutput(text: String, hint: String) {
        do throws(RuleOutputError) {
            _ = try RuleOutput(parsing: text)
            Issue.record("'\(text)' was read")
        } catch {
            #expect("\(error)".contains("'\(text)'"))
            #expect("\(error)".contains(hint), "\(error)")
        }
    }

    @Test("what cannot be meant is an error that names rule, key and what would be right")
    func errors() throws {
        func message(_ make: () throws -> AggregationRule) -> String {
            do {
                _ = try make()
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message { try .of(outputs: [.max]) }.contains("match: no selector"))
        #expect(
            message { try .of("m", outputs: []) }.contains("rule 'm:1m', outputs: no outputs; known are count_samples"))
        #expect(message { try .of("m", outputs: [.max, .max]) }.contains("max stands there twice"))
        #expect(message { try .of("m", grouping: .without([]), outputs: [.max]) }.contains("by: []"))
        #expect(message { try .of("m", grouping: .without(["__name__"]), outputs: [.max]) }.contains("record"))
        #expect(message { try .of("m", outputs: [.max], record: "a b") }.contains("record 'a b'"))
        #expect(message { try .of("m", outputs: [.max, .min], record: "x") }.contains("one name for 2 outputs"))
        #expect(message { try .of("m", outputs: [.max], labels: ["__name__": "x"]) }.contains("record"))
        #expect(
            message { try .of("m", grouping: .by(["quantile"]), outputs: [.quantiles([0.5])]) }.contains(
                "by 'quantile'"))
        #expect(message { try .of("m", outputs: [.max], lateness: .seconds(-1)) }.contains("lateness '-1s'"))
        #expect(
            message { try .of("m", outputs: [.max], staleness: .seconds(1)) }.contains("from the interval (1m) to 7d"))
        let everything = [try LabelMatcher("a", .matches, ".*")]
        #expect(
            message {
                try AggregationRule(
                    selectors: [everything], windows: try WindowSpecification(interval: .seconds(60)), outputs: [.max])
            }.contains(#"match '{a=~".*"}': every series matches"#))
    }

    @Test("the definition changes with what the results depend on, and with nothing else")
    func definition() throws {
        let rule = try AggregationRule.of("m", grouping: .by(["a", "b"]), outputs: [.max, .min])
        let same = try AggregationRule.of(
            "m", grouping: .by(["b", "a"]), outputs: [.min, .max], lateness: .seconds(1), staleness: .seconds(600))
        #expect(rule.definition == same.definition)
        for other in [
            try AggregationRule.of("m", "n", grouping: .by(["a", "b"]), outputs: [.max, .min]),
            try .of("m", interval: .seconds(120), grouping: .by(["a", "b"]), outputs: [.max, .min]),
            try .of("m", grouping: .without(["a", "b"]), outputs: [.max, .min]),
            try .of("m", grouping: .by(["a", "b"]), outputs: [.max]),
            try .of("m", grouping: .by(["a", "b"]), outputs: [.max, .min], labels: ["c": "d"]),
        ] { #expect(rule.definition != other.definition) }
    }
}
