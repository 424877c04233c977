import Aggregation
import MetricModel
import TestKit
import Testing

@Suite("Threshold conditions: pending, firing, resolved")
struct AlertTrackerTests {
    private func condition(_ duration: Duration = .zero, _ comparison: ThresholdCondition.Comparison = .greater) throws
        -> ThresholdCondition
    {
        try ThresholdCondition(
            matchers: [LabelMatcher(Label.metricName, equals: "node_load1")], comparison: comparison, threshold: 8,
            duration: duration)
    }

    private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }
    private func sample(_ seconds: Int64, _ value: Double) -> Sample { Sample(timestamp: time(seconds), value: value) }

    /// The states that samples of one series lead to, with their times in seconds.
    private func events(_ tracker: inout AlertTracker<Int>, _ samples: (Int64, Double)...) -> [String] {
        samples.flatMap { seconds, value in
            tracker.observe(sample(seconds, value), of: 1).map {
                "\($0.state.rawValue)@\($0.time.milliseconds / 1000)"
            }
        }
    }

    @Test("without a duration it fires with the first sample that meets it, and resolves with the first that does not")
    func atOnce() throws {
        var tracker = AlertTracker<Int>(try condition())
        #expect(events(&tracker, (0, 1), (10, 9), (20, 12), (30, 8), (40, 7)) == ["firing@10", "resolved@30"])
        let firing = tracker.observe(sample(50, 9.5), of: 1)
        #expect(
            firing == [
                AlertEvent(state: .firing, value: 9.5, time: time(50), activeSince: time(50), firedAt: time(50))
            ])
        let resolved = tracker.observe(sample(60, 3), of: 1)
        #expect(
            resolved == [
                AlertEvent(
                    state: .resolved, value: 3, time: time(60), activeSince: time(50), firedAt: time(50), ending: .value
                )
            ])
    }

    @Test("with a duration it is pending first, and fires with the first sample that is far enough from the first one")
    func duration() throws {
        var tracker = AlertTracker<Int>(try condition(.seconds(25)))
        #expect(
            events(&tracker, (0, 9), (10, 9), (20, 9), (30, 9), (40, 9), (50, 1)) == [
                "pending@0", "firing@30", "resolved@50",
            ])
        #expect(tracker.status(of: 1)?.stage == .inactive)
    }

    @Test("a pending alert that goes away never fires, and begins anew")
    func interrupted() throws {
        var tracker = AlertTracker<Int>(try condition(.seconds(25)))
        #expect(
            events(&tracker, (0, 9), (20, 9), (25, 1), (30, 9), (50, 9), (55, 9)) == [
                "pending@0", "inactive@25", "pending@30", "firing@55",
            ])
    }

    @Test(
        "late and repeated samples change nothing, so the order of arrival within a series is no matter to what is last"
    )
    func late() throws {
        var tracker = AlertTracker<Int>(try condition())
        #expect(events(&tracker, (10, 1), (5, 99), (10, 99), (20, 9), (20, 1), (15, 1)) == ["firing@20"])
        #expect(tracker.status(of: 1)?.lastValue == 9)
    }

    @Test("a series that ends resolves its alert: by a staleness marker or by silence")
    func ended() throws {
        var tracker = AlertTracker<Int>(try condition())
        _ = events(&tracker, (10, 9))
        let marker = tracker.observe(sample(20, .stalenessMarker), of: 1)
        #expect(
            marker == [
                AlertEvent(
                    state: .resolved, value: 9, time: time(20), activeSince: time(10), firedAt: time(10),
                    ending: .seriesEnded)
            ])
        #expect(tracker.observe(sample(15, 9), of: 1).isEmpty, "older than the marker")
        _ = tracker.observe(sample(30, 9), of: 1)
        _ = tracker.observe(sample(30, 2), of: 2)
        #expect(tracker.advance(to: time(330)).isEmpty)
        let silent = tracker.advance(to: time(331))
        #expect(silent.map(\.series).sorted() == [1, 2])
        #expect(silent.compactMap(\.event?.state) == [.resolved])
        #expect(silent.compactMap(\.event?.time) == [time(330)])
        #expect(tracker.advance(to: time(10_000)).isEmpty)
        #expect(tracker.seriesCount == 0)
    }

    @Test("a series that was silent for long had ended, whether or not event time was told in between")
    func gap() throws {
        let samples: [(Int64, Double)] = [(0, 9), (100, 9), (200, 9), (501, 9), (700, 9), (1100, 1), (1101, 9)]
        var untold = AlertTracker<Int>(try condition(.seconds(150)))
        var told = untold
        var expected: [AlertEvent] = []
        for (seconds, value) in samples {
            expected += told.advance(to: time(seconds)).compactMap(\.event)
            expected += told.observe(sample(seconds, value), of: 1)
        }
        #expect(samples.flatMap { untold.observe(sample($0, $1), of: 1) } == expected)
        #expect(
            expected.map { "\($0.state.rawValue)@\($0.time.milliseconds / 1000)" } == [
                "pending@0", "firing@200", "resolved@500", "pending@501", "firing@700", "resolved@1000", "pending@1101",
            ])
    }

    @Test("of some series event time may stand still")
    func others() throws {
        var tracker = AlertTracker<Int>(try condition())
        for series in [1, 2] { _ = tracker.observe(sample(10, 9), of: series) }
        #expect(tracker.advance(to: time(1000)) { $0 == 2 }.map(\.series) == [2])
        #expect(tracker.seriesCount == 1)
    }

    @Test("each series has its own state")
    func independent() throws {
        var tracker = AlertTracker<Int>(try condition())
        #expect(tracker.observe(sample(10, 9), of: 1).map(\.state) == [.firing])
        #expect(tracker.observe(sample(10, 1), of: 2).isEmpty)
        #expect(tracker.observe(sample(10, 10), of: 3).map(\.state) == [.firing])
        #expect(tracker.observe(sample(20, 1), of: 1).map(\.state) == [.resolved])
        #expect(tracker.status(of: 3)?.stage == .firing(since: time(10), firedAt: time(10)))
    }

    @Test("alerts that were stored go on after a restart, without being told again")
    func restart() throws {
        var random = SeededGenerator()
        for _ in 0..<50 {
            var straight = AlertTracker<Int>(try condition(.seconds(30)))
            var restarted = straight
            for step in 0..<60 as Range<Int64> {
                // Late ones among them, which a tracker that knew less would take.
                let late = Int64.random(in: 0...2, using: &random)
                let next = sample((step - late) * 10, Double.random(in: 0...14, using: &random))
                let expected = straight.observe(next, of: 1)
                #expect(restarted.observe(next, of: 1) == expected)
                if Int.random(in: 0..<4, using: &random) == 0 {
                    let rows = restarted.statuses
                    restarted = AlertTracker(restarted.condition)
                    for (series, alert) in rows { restarted.restore(alert, of: series) }
                }
            }
        }
    }

    @Test(
        "comparisons are PromQL's: NaN is only unequal",
        arguments: ThresholdCondition.Comparison.allCases)
    func comparisons(_ comparison: ThresholdCondition.Comparison) throws {
        let condition = try condition(.zero, comparison)
        let met = [7, 8, 9, .infinity, Double.nan].map { condition.holds(for: $0) }
        let expected: [Bool] =
            switch comparison {
            case .greater: [false, false, true, true, false]
            case .greaterOrEqual: [false, true, true, true, false]
            case .less: [true, false, false, false, false]
            case .lessOrEqual: [true, true, false, false, false]
            case .equal: [false, true, false, false, false]
            case .notEqual: [true, false, true, true, true]
            }
        #expect(met == expected)
    }

    @Test("a condition says what it is, and what it cannot be")
    func description() throws {
        let matchers = [LabelMatcher(Label.metricName, equals: "node_load1"), LabelMatcher("instance", equals: "a")]
        let condition = try ThresholdCondition(
            matchers: matchers, comparison: .greaterOrEqual, threshold: 0.5, duration: .seconds(300))
        #expect(condition.name == #"node_load1{instance="a"} >= 0.5 for 5m"#)
        func message(_ make: () throws -> ThresholdCondition) -> String {
            do {
                _ = try make()
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(
            message { try ThresholdCondition(matchers: [], comparison: .less, threshold: 1) }.contains(
                "every series matches"))
        #expect(
            message {
                try ThresholdCondition(
                    name: "x", matchers: matchers, comparison: .less, threshold: 1, duration: .seconds(-5))
            }.contains("rule 'x', for '-5s'"))
    }
}
