import Aggregation
import MetricModel
import TestKit
import Testing

@Suite("A rule over one window")
struct RuleEvaluationTests {
    private let window = Window(seconds: 60..<120)
    private let cpu: [SampleSeries] = [
        SampleSeries(["__name__": "cpu", "instance": "a", "cpu": "0"], [(59, 10), (61, 12), (119, 15), (120, 99)]),
        SampleSeries(["__name__": "cpu", "instance": "a", "cpu": "1"], [(60, 100), (100, 104)]),
        SampleSeries(["__name__": "cpu", "instance": "b", "cpu": "0"], [(61, 7), (70, 8)]),
        SampleSeries(["__name__": "load", "instance": "b"], [(61, 0.5)]),
    ]

    @Test("series with the same values of the `by` labels are one group")
    func by() throws {
        let rule = try AggregationRule.of("cpu", grouping: .by(["instance"]), outputs: [.increase, .countSeries])
        #expect(
            rule.evaluate(window, cpu).lines == [
                #"cpu:1m_by_instance_count_series{instance="a"} 2"#,
                #"cpu:1m_by_instance_count_series{instance="b"} 1"#,
                #"cpu:1m_by_instance_increase{instance="a"} 9"#, #"cpu:1m_by_instance_increase{instance="b"} 1"#,
            ])
    }

    @Test("`without` takes labels away, none of both keeps series apart, an empty `by` takes a metric as a whole")
    func grouping() throws {
        func lines(_ grouping: AggregationRule.Grouping) throws -> [String] {
            try AggregationRule.of("cpu", "load", grouping: grouping, outputs: [.max]).evaluate(window, cpu).lines
        }
        #expect(
            try lines(.without(["cpu"])) == [
                #"cpu:1m_without_cpu_max{instance="a"} 104"#, #"cpu:1m_without_cpu_max{instance="b"} 8"#,
                #"load:1m_without_cpu_max{instance="b"} 0.5"#,
            ])
        #expect(
            try lines(.each) == [
                #"cpu:1m_max{cpu="0",instance="a"} 15"#, #"cpu:1m_max{cpu="0",instance="b"} 8"#,
                #"cpu:1m_max{cpu="1",instance="a"} 104"#, #"load:1m_max{instance="b"} 0.5"#,
            ])
        #expect(try lines(.by([])) == ["cpu:1m_max 104", "load:1m_max 0.5"])
    }

    @Test("`record` names the result and joins metrics; `labels` are set on it")
    func record() throws {
        let rule = try AggregationRule.of(
            "cpu", "load", grouping: .by(["instance"]), outputs: [.countSamples], record: "instance:samples:count1m",
            labels: ["source": "weir"])
        #expect(
            rule.evaluate(window, cpu).lines == [
                #"instance:samples:count1m{instance="a",source="weir"} 4"#,
                #"instance:samples:count1m{instance="b",source="weir"} 3"#,
            ])
    }

    @Test("quantiles have a label each, in the place of one that the series had")
    func quantiles() throws {
        let series = (1...101).map { index in
            SampleSeries(
                ["__name__": "latency", "path": "/", "quantile": "\(index % 2)", "id": "\(index)"],
                [(70, Double(index))])
        }
        let rule = try AggregationRule.of("latency", grouping: .without(["id"]), outputs: [.quantiles([0, 0.5, 1])])
        let result = rule.evaluate(window, series)
        #expect(Set(result.rows.map { $0.labels["quantile"] }) == ["0", "0.5", "1"])
        #expect(result.rows.count == 3)
        let median = try #require(result.rows.first { $0.labels["quantile"] == "0.5" })
        #expect(abs(median.value - 51) <= 0.51)
        #expect(median.labels.metricName == "latency:1m_without_id_quantiles")
    }

    @Test("the result does not depend on the order of series")
    func orderOfSeries() throws {
        var random = SeededGenerator()
        let outputs = try RuleOutput.names.dropLast().map(RuleOutput.init(parsing:)) + [.quantiles([0.5, 0.99])]
        let rule = try AggregationRule.of("m", grouping: .by(["zone"]), outputs: outputs)
        var series: [SampleSeries] = []
        for index in 0..<60 {
            let labels: Labels = ["__name__": "m", "zone": "\(index % 3)", "id": "\(index)"]
            var counter = SampleSeries.counter(
                labels, seconds: 180, every: Int.random(in: 1...9, using: &random), &random)
            for position in counter.samples.indices where Int.random(in: 0..<30, using: &random) == 0 {
                counter.samples[position].value = Double.random(in: -1e9...1e9, using: &random)
            }
            series.append(counter)
        }
        let result = rule.evaluate(window, series)
        for _ in 0..<10 {
            let shuffled = rule.evaluate(window, series.shuffled(using: &random))
            #expect(shuffled.lines == result.lines)
            #expect(shuffled.digest == result.digest)
        }
    }

    @Test("the digest tells results apart, and is the same in every process")
    func digest() throws {
        let rule = try AggregationRule.of("cpu", outputs: [.last])
        let result = rule.evaluate(window, cpu)
        var changed = cpu
        changed[0].samples[2].value += 1e-9
        #expect(rule.evaluate(window, changed).digest != result.digest)
        #expect(rule.evaluate(window, Array(cpu.dropFirst())).digest != result.digest)
        #expect(rule.evaluate(window, []).digest == 0)
        // Stored in databases: a change of this number makes every stored window be emitted once more.
        #expect(OutputSample(labels: ["__name__": "m", "a": "b"], value: 1).digest == 0x953d_31c4_fb49_09b5)
    }

    @Test("groups are found once, and new series join later")
    func incrementalGroups() throws {
        let rule = try AggregationRule.of("cpu", grouping: .by(["instance"]), outputs: [.sumLast])
        var groups = RuleGroups(of: rule)
        let found = groups.group(of: cpu[0].labels)
        let first = try #require(found)
        #expect(groups.group(of: cpu[1].labels) == first)
        #expect(groups.group(of: cpu[3].labels) == nil)
        var evaluation = RuleEvaluation(of: groups, in: window)
        evaluation.add(cpu[0].samples, to: first)
        evaluation.add(cpu[1].samples[...], to: first)
        #expect(evaluation.result().lines == [#"cpu:1m_by_instance_sum_last{instance="a"} 119"#])
        let added = groups.group(of: cpu[2].labels)
        let second = try #require(added)
        var next = RuleEvaluation(of: groups, in: window)
        next.add(cpu[2].samples, to: second)
        #expect(next.result().lines == [#"cpu:1m_by_instance_sum_last{instance="b"} 8"#])
    }
}
