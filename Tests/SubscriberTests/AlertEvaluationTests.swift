import Aggregation
import MetricModel
import SeriesStore
import TestKit
import Testing

@testable import Subscriber

@Suite struct AlertEvaluationTests {
    private static let partition = SourcePartition(topic: "metrics.t", partition: 0)
    private static let other = SourcePartition(topic: "metrics.t", partition: 1)

    private func conditions(_ texts: String...) throws -> [ThresholdCondition] {
        try texts.map { try ConditionText(parsing: $0).condition() }
    }

    private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    private func observe(
        _ evaluation: inout AlertEvaluation, _ reference: UInt32, _ seconds: Int64, _ value: Double,
        from source: SourcePartition = partition
    ) -> [String] {
        var notices: [AlertNotice] = []
        evaluation.observe(
            Sample(timestamp: time(seconds), value: value), of: SeriesReference(rawValue: reference), from: source,
            &notices)
        return notices.map(\.id)
    }

    /// What a commit would store of the alerts.
    private func rows(_ evaluation: inout AlertEvaluation, _ stored: inout [AlertKey: StoredAlert]) {
        var head = Head()
        evaluation.record(in: &head)
        for (key, alert) in head.alerts { stored[key] = alert }
    }

    @Test func `a series is matched against each condition once, by its labels`() throws {
        var evaluation = AlertEvaluation(try conditions(#"load{host=~"a|b"} > 8"#, "load > 20", "up == 0"))
        let series: [Labels] = [
            ["__name__": "load", "host": "a"], ["__name__": "load", "host": "c"], ["__name__": "up"],
            ["__name__": "rest"],
        ]
        for (number, labels) in series.enumerated() {
            evaluation.define(SeriesReference(rawValue: UInt32(number)), labels, from: Self.partition)
        }
        #expect(observe(&evaluation, 0, 1, 30).count == 2)
        #expect(observe(&evaluation, 1, 1, 30) == [#"load > 20 load{host="c"} 1000 firing"#])
        #expect(observe(&evaluation, 2, 1, 0) == ["up == 0 up 1000 firing"])
        #expect(observe(&evaluation, 3, 1, 0).isEmpty)
        #expect(evaluation.watchedCount == 4)
    }

    @Test func `what was stored goes on after a restart exactly as without one`() throws {
        var random = SeededGenerator()
        for _ in 0..<30 {
            let conditions = try conditions("load > 8 for 30s", #"load{host!="1"} < 3"#)
            func fresh(_ stored: [StoredAlert]) -> AlertEvaluation {
                var evaluation = AlertEvaluation(conditions)
                #expect(evaluation.assign([Self.partition, Self.other], stored: stored).isEmpty)
                for host in 0..<3 {
                    let labels: Labels = ["__name__": "load", "host": "\(host)"]
                    evaluation.define(SeriesReference(rawValue: UInt32(host)), labels, from: Self.partition)
                }
                return evaluation
            }
            var straight = fresh([])
            var restarted = fresh([])
            var stored: [AlertKey: StoredAlert] = [:]
            for step in 0..<80 as Range<Int64> {
                let host = UInt32.random(in: 0..<3, using: &random)
                let seconds = step * 10 - Int64.random(in: 0...20, using: &random)
                let value = Double.random(in: 0...14, using: &random)
                let source = Bool.random(using: &random) ? Self.partition : Self.other
                let expected = observe(&straight, host, seconds, value, from: source)
                #expect(observe(&restarted, host, seconds, value, from: source) == expected)
                if step % 40 == 39 {
                    var (first, second) = ([AlertNotice](), [AlertNotice]())
                    straight.advance(to: time(seconds + 200), &first)
                    restarted.advance(to: time(seconds + 200), &second)
                    #expect(Set(first.map(\.id)) == Set(second.map(\.id)))
                }
                rows(&restarted, &stored)
                if Int.random(in: 0..<5, using: &random) == 0 { restarted = fresh(Array(stored.values)) }
            }
            #expect(restarted.watchedCount == straight.watchedCount)
        }
    }

    @Test func `a series whose host does not come back after a restart ends`() throws {
        let conditions = try conditions("up == 0")
        let status = AlertStatus(stage: .firing(since: time(10), firedAt: time(10)), lastTime: time(20), lastValue: 0)
        let row = StoredAlert(
            key: AlertKey(alert: "up == 0", series: "up"), condition: "up == 0", source: Self.partition, status: status)
        var evaluation = AlertEvaluation(conditions)
        var notices: [AlertNotice] = []
        #expect(evaluation.assign([Self.other], stored: [row]).isEmpty)
        evaluation.advance(to: time(10_000), &notices)
        #expect(notices.isEmpty, "its partition is not read here")
        #expect(evaluation.assign([Self.partition], stored: [row]).isEmpty)
        evaluation.advance(to: time(10_000), &notices)
        #expect(notices.map(\.event.state) == [.resolved])
        #expect(notices.first?.event.ending == .seriesEnded)
        #expect(evaluation.watchedCount == 0)
        var stored = [row.key: row]
        rows(&evaluation, &stored)
        #expect(stored.isEmpty)
    }

    @Test func `partitions that go take their alerts along, and bring back what others made of them`() throws {
        let name = "load > 8 for 1m"
        var evaluation = AlertEvaluation(try conditions(name))
        #expect(evaluation.assign([Self.partition], stored: []).isEmpty)
        evaluation.define(SeriesReference(rawValue: 0), ["__name__": "load"], from: Self.partition)
        #expect(observe(&evaluation, 0, 0, 9).count == 1)
        var stored: [AlertKey: StoredAlert] = [:]
        rows(&evaluation, &stored)
        evaluation.unassign([Self.partition])
        #expect(evaluation.watchedCount == 0)
        #expect(evaluation.assign([Self.partition], stored: Array(stored.values)).isEmpty)
        #expect(observe(&evaluation, 0, 60, 9) == ["\(name) load 0 firing"])
        // Another process was first, and saw something else.
        let status = AlertStatus(stage: .inactive, lastTime: time(120), lastValue: 1)
        let row = StoredAlert(
            key: AlertKey(alert: name, series: "load"), condition: name, source: Self.partition, status: status)
        #expect(evaluation.restart(from: [row]).isEmpty)
        rows(&evaluation, &stored)
        #expect(stored.values.first?.status.lastTime == time(0), "what was dropped is not stored")
        #expect(observe(&evaluation, 0, 100, 9).isEmpty)
        evaluation.forgetReferences()
        #expect(observe(&evaluation, 0, 130, 9).isEmpty)
        evaluation.define(SeriesReference(rawValue: 0), ["__name__": "load"], from: Self.partition)
        #expect(observe(&evaluation, 0, 130, 9) == ["\(name) load 130000 pending"])
    }

    @Test func `alerts of a condition that is another one now are over`() throws {
        func row(_ series: String, _ stage: AlertStatus.Stage) -> StoredAlert {
            StoredAlert(
                key: AlertKey(alert: "High", series: series), condition: "load > 5", source: Self.partition,
                status: AlertStatus(stage: stage, lastTime: time(20), lastValue: 6))
        }
        let stored = [
            row("load{a=\"1\"}", .firing(since: time(1), firedAt: time(2))),
            row("load{a=\"2\"}", .pending(since: time(1))),
            row("load{a=\"3\"}", .inactive),
        ]
        let matchers = [LabelMatcher(Label.metricName, equals: "load")]
        let changed = try ThresholdCondition(name: "High", matchers: matchers, comparison: .greater, threshold: 8)
        for conditions in [[changed], []] {
            var evaluation = AlertEvaluation(conditions)
            let notices = evaluation.assign([Self.partition], stored: stored)
            #expect(
                notices.map(\.id).sorted() == [
                    #"High load{a="1"} 1000 resolved"#, #"High load{a="2"} 1000 inactive"#,
                ])
            #expect(notices.allSatisfy { $0.event.ending == .conditionChanged })
            var rest = Dictionary(uniqueKeysWithValues: stored.map { ($0.key, $0) })
            rows(&evaluation, &rest)
            #expect(rest.isEmpty)
        }
    }

    @Test func `only so many series are followed, and samples of more are counted`() throws {
        var evaluation = AlertEvaluation(try conditions("load > 8"), maximumStatuses: 10)
        _ = evaluation.assign([Self.partition], stored: [])
        for number in 0..<30 as Range<UInt32> {
            evaluation.define(
                SeriesReference(rawValue: number), ["__name__": "load", "n": "\(number)"], from: Self.partition)
            #expect(observe(&evaluation, number, 10, 9).count == (number < 10 ? 1 : 0))
        }
        #expect(evaluation.watchedCount == 10)
        #expect(evaluation.unwatchedSamples == 20)
        var notices: [AlertNotice] = []
        evaluation.advance(to: time(1000), &notices)
        #expect(notices.count == 10)
        #expect(observe(&evaluation, 29, 1000, 9).count == 1, "there is room again")
    }

    @Test func `a reference that is given to another series has nothing of the one before`() throws {
        var evaluation = AlertEvaluation(try conditions("load > 8"))
        let reference = SeriesReference(rawValue: 0)
        evaluation.define(reference, ["__name__": "load", "n": "1"], from: Self.partition)
        #expect(observe(&evaluation, 0, 10, 9).count == 1)
        evaluation.forget(reference)
        #expect(observe(&evaluation, 0, 20, 1).isEmpty)
        evaluation.define(reference, ["__name__": "load", "n": "2"], from: Self.partition)
        #expect(observe(&evaluation, 0, 5, 9) == [#"load > 8 load{n="2"} 5000 firing"#])
    }

    @Test func `a record says it in Prometheus's words`() throws {
        let condition = try ThresholdCondition(
            name: "HighLoad", matchers: [LabelMatcher(Label.metricName, equals: "load")], comparison: .greater,
            threshold: 8, duration: .seconds(60), labels: ["severity": "page"],
            annotations: [Label("summary", "it is high")])
        let notice = AlertNotice(
            condition: condition, key: AlertKey(alert: "HighLoad", series: #"load{instance="a"}"#),
            conditionText: condition.description,
            event: AlertEvent(
                state: .resolved, value: 1.5, time: time(1_700_000_090), activeSince: time(1_700_000_000),
                firedAt: time(1_700_000_060), ending: .value))
        let json = String(decoding: try AlertRecord(notice, generator: "weir").json, as: UTF8.self)
        #expect(
            json == """
                {"activeAt":"2023-11-14T22:13:20.000Z","annotations":{"summary":"it is high"},\
                "ending":"value","endsAt":"2023-11-14T22:14:50.000Z","expr":"load > 8 for 1m","generator":"weir",\
                "id":"HighLoad load{instance=\\"a\\"} 1700000000000 resolved",\
                "labels":{"alertname":"HighLoad","instance":"a","severity":"page"},"series":"load{instance=\\"a\\"}",\
                "startsAt":"2023-11-14T22:14:20.000Z","status":"resolved","value":"1.5"}
                """)
        #expect(try AlertRecord(json: json.utf8).status == .resolved)
    }
}
