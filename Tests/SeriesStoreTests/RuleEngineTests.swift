import Aggregation
import GRDB
import Logging
import MetricModel
import TestKit
import Testing

@testable import SeriesStore

/// A database with rules, the processes that write to it, and what was emitted.
private final class RuleFixture {
    /// What one process has.
    private final class Member {
        let writer: SeriesWriter
        let evaluator: RuleEvaluator
        var references: [Labels: SeriesReference] = [:]

        init(_ store: StoreFixture, _ rules: [AggregationRule]) throws {
            var configuration = SeriesWriter.Configuration()
            configuration.rules = rules
            writer = try store.writer(configuration)
            evaluator = try RuleEvaluator(writer)
        }

        func close() throws {
            try evaluator.close()
            try writer.close()
        }
    }

    let store: StoreFixture
    let rules: [AggregationRule]
    private var members: [Member]
    /// Everything that was in the outbox, in order.
    private(set) var emitted: [Emission] = []

    var writer: SeriesWriter { members[0].writer }
    var evaluator: RuleEvaluator { members[0].evaluator }

    init(_ rules: [AggregationRule], members count: Int = 1) throws {
        store = try StoreFixture()
        self.rules = rules
        members = []
        for _ in 0..<count { members.append(try Member(store, rules)) }
    }

    /// Stores samples, and says how far event time has come.
    @discardableResult
    func commit(
        _ samples: [(series: Labels, seconds: Int64, value: Double)], eventTime: Int64? = nil, by member: Int = 0,
        now: Timestamp = .now()
    ) throws -> CommitReport {
        let member = members[member]
        var head = Head()
        for sample in samples {
            if member.references[sample.series] == nil {
                member.references[sample.series] = SeriesReference(member.references.count)
                head.define(SeriesReference(member.references.count - 1), labels: sample.series)
            }
            guard let reference = member.references[sample.series] else { continue }
            head.append(reference, timestamp: .second(sample.seconds), value: sample.value)
        }
        return try member.writer.commit(head, eventTime: eventTime.map { .second($0) }, now: now)
    }

    /// Evaluates everything that is due, by whoever leads.
    func close() throws {
        for member in members {
            try member.writer.advance(to: nil)
            while try member.evaluator.step() {}
        }
    }

    /// Takes what is in the outbox, as far as the cluster would.
    @discardableResult
    func emit(limit: Int = .max) throws -> [Emission] {
        var all: [Emission] = []
        for member in members {
            let emissions = try member.writer.emissions(limit: min(limit, 1 << 20))
            try member.writer.emitted(emissions.map(\.id))
            all += emissions
        }
        emitted += all
        return all
    }

    /// Opens the database anew, with the same rules or others.
    func restart(_ rules: [AggregationRule]? = nil, _ member: Int = 0) throws {
        try members[member].close()
        members[member] = try Member(store, rules ?? self.rules)
    }

    /// Whether something has to be evaluated before everything is that has to be at an event time.
    func isBehind(_ eventTime: Int64) throws -> Bool {
        let queue = try DatabaseQueue(path: store.path)
        defer { try? queue.close() }
        return try queue.read { database in
            for rule in rules {
                let last = Timestamp.second(eventTime) - rule.windows.interval - rule.lateness
                let count = try Int.fetchOne(
                    database,
                    sql: """
                        SELECT (SELECT count(*) FROM rule_note)
                            + (SELECT count(*) FROM rule_window JOIN rule ON id = rule_id
                               WHERE dirty AND name = ? AND start <= ?)
                        """, arguments: [rule.name, last.milliseconds])
                if count != 0 { return true }
            }
            return false
        }
    }

    /// Opens the database as a process more would.
    func open(_ rules: [AggregationRule]) throws {
        var configuration = SeriesWriter.Configuration()
        configuration.rules = rules
        configuration.openingPatience = .milliseconds(10)
        try store.writer(configuration).close()
    }

    /// Whether the last record of each rule, group and window that was emitted says what the stored samples give, for all
    /// windows that are over.
    func expectEmittedEqualsSamples(
        at eventTime: Int64, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let reader = try store.reader()
        defer { try? reader.close() }
        let series = try reader.series(matching: [])
        let samples = try reader.samples(of: series.map(\.id), from: .beginning, to: .end)
        var expected: [String: String] = [:]
        for rule in rules {
            let starts = Set(
                series.filter { rule.matches($0.labels) }.flatMap { samples[$0.id] ?? [] }.flatMap {
                    rule.windows.windows(containing: $0.timestamp).map(\.start)
                })
            for window in starts.map(rule.windows.window(startingAt:))
            where window.end + rule.lateness <= .second(eventTime) {
                let result = rule.evaluate(window, series: series.map { ($0.labels, samples[$0.id] ?? []) })
                for row in result.rows {
                    let series = row.labels.description
                    expected["\(rule.name) \(series)@\(window.end.milliseconds)"] = TextFormat.text(of: row.value)
                }
            }
        }
        var last: [String: (id: Emission.ID, revision: Int, lines: [String])] = [:]
        for emission in emitted {
            let key = "\(emission.rule) \(emission.key) \(emission.windowStart)"
            if let known = last[key] {
                let isNewer = (known.id.epoch, known.revision) < (emission.id.epoch, emission.revision)
                #expect(isNewer, "\(what) the records of \(key) come in order", sourceLocation: sourceLocation)
            }
            last[key] = (emission.id, emission.revision, emission.value.split(separator: "\n").map(String.init))
        }
        var found: [String: String] = [:]
        for (key, record) in last {
            let rule = rules.first { key.hasPrefix($0.name + " ") }?.name ?? ""
            for line in record.lines {
                let parts = line.split(separator: " ").map(String.init)
                found["\(rule) \(parts.dropLast(2).joined(separator: " "))@\(parts[parts.count - 1])"] =
                    parts[parts.count - 2]
            }
        }
        #expect(found == expected, "\(what)", sourceLocation: sourceLocation)
    }
}

extension Timestamp {
    fileprivate static func second(_ seconds: Int64) -> Timestamp { .at(seconds * 1000) }
}

extension TextFormat {
    fileprivate static func text(of value: Double) -> String {
        var writer = Writer()
        writer.append("x", [], value: value)
        return String(String(decoding: writer.bytes, as: UTF8.self).dropFirst(2).dropLast())
    }
}

@Suite struct RuleEngineTests {
    private static func rule(
        _ name: String, interval: Int64 = 60, every: Int64? = nil, _ outputs: [RuleOutput] = [.countSamples, .max],
        by: [String]? = nil
    ) throws -> AggregationRule {
        try AggregationRule(
            name: name, selectors: [[LabelMatcher("__name__", equals: "load")]],
            windows: try WindowSpecification(interval: .seconds(interval), every: .seconds(every ?? interval)),
            grouping: by.map { .by($0) } ?? .each, outputs: outputs)
    }

    @Test func `a window is emitted when event time has passed it, group by group`() throws {
        let fixture = try RuleFixture([try Self.rule("r")])
        try fixture.commit([(.load(host: 1), 5, 1), (.load(host: 2), 6, 7), (.load(host: 1), 50, 3)], eventTime: 69)
        try fixture.close()
        #expect(try fixture.emit().isEmpty, "ten seconds of lateness")
        try fixture.commit([], eventTime: 70)
        try fixture.close()
        let records = try fixture.emit()
        #expect(
            records.map(\.key) == [#"load:1m{host="1"}"#, #"load:1m{host="2"}"#] || records.count == 2,
            "\(records)")
        let first = try #require(records.first { $0.key.contains("\"1\"") })
        let end = Timestamp.second(60).milliseconds
        #expect(
            first.value == """
                load:1m_count_samples{host="1"} 2 \(end)
                load:1m_max{host="1"} 3 \(end)

                """)
        #expect(first.revision == 1 && first.rule == "r" && first.id.topic == "metrics.rollup.1m")
        #expect((first.windowStart, first.windowEnd) == (.second(0), .second(60)))
        #expect(Set(records.map(\.id.sequence)) == [0, 1])
        #expect(try fixture.emit().isEmpty)
        try fixture.expectEmittedEqualsSamples(at: 70)
    }

    @Test func `a late sample emits its group again, a duplicate and one that changes nothing do not`() throws {
        let fixture = try RuleFixture([try Self.rule("r", [.max])])
        try fixture.commit([(.load(host: 1), 5, 5), (.load(host: 2), 5, 5)], eventTime: 100)
        try fixture.close()
        #expect(try fixture.emit().map(\.revision) == [1, 1])
        try fixture.commit([(.load(host: 1), 6, 9)], eventTime: 101)
        try fixture.close()
        let second = try fixture.emit()
        #expect(second.map(\.revision) == [2])
        #expect(second.map(\.key) == [#"load:1m{host="1"}"#], "the other group is as it was")
        #expect(try fixture.commit([(.load(host: 1), 6, 100)]).duplicateSamples == 1)
        try fixture.commit([(.load(host: 2), 7, 1)])
        try fixture.close()
        #expect(try fixture.emit().isEmpty)
        let statistics = try #require(try fixture.writer.ruleStatistics()["r"])
        #expect(statistics.emittedWindows == 1 && statistics.revisedWindows == 1)
        #expect(statistics.lateSamples == 2 && statistics.closedWindows == 1 && statistics.dueWindows == 0)
        // Which groups changed is not known after a restart, so all of the window comes.
        try fixture.restart()
        try fixture.commit([(.load(host: 1), 8, 10)])
        try fixture.close()
        #expect(try fixture.emit().map(\.revision) == [3, 3])
        try fixture.expectEmittedEqualsSamples(at: 101)
    }

    @Test func `what was not evaluated or not emitted before a restart is afterwards`() throws {
        let fixture = try RuleFixture([try Self.rule("r")])
        try fixture.commit([(.load(host: 1), 5, 1)], eventTime: 100)
        try fixture.restart()
        try fixture.close()
        let before = try fixture.writer.emissions(limit: 10)
        #expect(before.count == 1)
        try fixture.restart()
        #expect(try fixture.writer.emissions(limit: 10) == before, "the same record, with the same number")
        #expect(try fixture.writer.outboxCount == 1)
        try fixture.close()
        #expect(try fixture.emit() == before, "and nothing twice")
        #expect(try fixture.writer.outboxCount == 0)
        try fixture.commit([(.load(host: 1), 65, 1)], eventTime: 200)
        try fixture.close()
        let next = try #require(try fixture.emit().first)
        #expect(next.id.epoch > before[0].id.epoch, "each process has numbers of its own")
        #expect(next.id.sequence == 0)
    }

    @Test func `a result that was stored in part is emitted anew as a whole`() throws {
        let fixture = try RuleFixture([try Self.rule("r")])
        let hosts = 2500
        try fixture.commit((0..<hosts).map { (.load(host: $0), 5, Double($0)) }, eventTime: 100)
        let work = try #require(try fixture.writer.dueWindows(limit: 1))
        let records = (0..<hosts).map { RuleRecord(key: "load:1m{host=\"\($0)\"}", value: "") }
        let evaluated = EvaluatedWindow(rule: work.rule, due: work.due[0], digest: 17, records: records)
        // As `store` does it, and killed after the first of two transactions.
        try fixture.writer.withState { state in
            try state.transaction { state in
                _ = try state.rules.store(evaluated, part: 0..<2000, revision: nil)
            }
        }
        try fixture.restart()
        #expect(try fixture.emit().map(\.revision) == [Int](repeating: 1, count: 2000))
        try fixture.close()
        #expect(try fixture.emit().map(\.revision) == [Int](repeating: 2, count: hosts))
        try fixture.close()
        #expect(try fixture.emit().isEmpty)
        try fixture.expectEmittedEqualsSamples(at: 100)
    }

    @Test func `a transaction that fails leaves everything due`() throws {
        let fixture = try RuleFixture([try Self.rule("r")])
        struct Failure: Error {}
        try fixture.commit([(.load(host: 1), 5, 1)], eventTime: 100)
        let work = try #require(try fixture.writer.dueWindows(limit: 1))
        let evaluated = EvaluatedWindow(
            rule: 0, due: work.due[0], digest: 17, records: [RuleRecord(key: "k", value: "")])
        #expect(throws: StoreError.self) {
            try fixture.writer.withState { state in
                try state.transaction { state in
                    _ = try state.rules.store(evaluated, part: 0..<1, revision: nil)
                    throw Failure()
                }
            }
        }
        #expect(try fixture.writer.outboxCount == 0)
        try fixture.close()
        let emission = try #require(try fixture.emit().first)
        #expect(emission.revision == 1 && emission.id.sequence == 0)
        try fixture.expectEmittedEqualsSamples(at: 100)
    }

    @Test func `a rule that says something else begins with nothing, and so does one that was away`() throws {
        let fixture = try RuleFixture([try Self.rule("r", [.max]), try Self.rule("other", [.min])])
        try fixture.commit([(.load(host: 1), 5, 1)], eventTime: 100)
        try fixture.close()
        try fixture.emit()
        let changed = [try Self.rule("r", [.min]), try Self.rule("other", [.min])]
        try fixture.restart(changed)
        #expect(try fixture.writer.ruleStatistics().mapValues(\.closedWindows) == ["r": 0, "other": 1])
        try fixture.restart([])
        try fixture.restart(changed)
        #expect(try fixture.writer.ruleStatistics().mapValues(\.closedWindows) == ["r": 0, "other": 0])
        try fixture.commit([(.load(host: 1), 6, 1), (.load(host: 1), 130, 1)], eventTime: 200)
        try fixture.close()
        #expect(try fixture.emit().count == 4, "the windows that samples come for, from all there are")
    }

    @Test func `a sample of the far future closes nothing and harms nothing`() throws {
        let fixture = try RuleFixture([try Self.rule("r")])
        try fixture.commit([(.load(host: 1), 5, 1), (.load(host: 1), 3_000_000_000, 1)], eventTime: 100)
        try fixture.close()
        #expect(try fixture.emit().count == 1)
        try fixture.commit([(.load(host: 1), 65, 1)], eventTime: 200)
        try fixture.close()
        #expect(try fixture.emit().count == 1)
        try fixture.expectEmittedEqualsSamples(at: 200)
    }

    @Test func `whatever comes late, twice, and between restarts, the last records equal the samples`() throws {
        var random = SeededGenerator()
        let rules = [
            try Self.rule("minutes", [.countSamples, .sumSamples, .last]),
            try Self.rule("sliding", interval: 120, every: 30, [.increase, .max], by: ["host"]),
            try Self.rule("all", interval: 60, [.countSeries, .average], by: []),
        ]
        let fixture = try RuleFixture(rules)
        var eventTime: Int64 = 0
        for round in 0..<80 {
            let samples = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                let isLate = Int.random(in: 0..<4, using: &random) == 0
                let time = isLate ? Int64.random(in: 0...(eventTime + 60), using: &random) : eventTime + 30
                return (
                    series: Labels.load(host: Int.random(in: 0..<5, using: &random)),
                    seconds: time + Int64.random(in: 0..<30, using: &random), value: Double(round)
                )
            }
            eventTime += Int64.random(in: 0...40, using: &random)
            try fixture.commit(samples, eventTime: eventTime)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: try fixture.restart()
            case 1: _ = try fixture.evaluator.step()
            case 2: try fixture.emit(limit: 3)
            case 3: while try fixture.writer.seal() {}
            default: try fixture.close()
            }
        }
        try fixture.close()
        try fixture.emit()
        try fixture.expectEmittedEqualsSamples(at: eventTime, "seed \(random.seed)")
    }

    @Test func `what another process stores is evaluated by the one that leads, at the time that both have reached`()
        throws
    {
        let fixture = try RuleFixture([try Self.rule("r")], members: 2)
        try fixture.commit([(.load(host: 2), 6, 1)], eventTime: 50, by: 1)
        try fixture.commit([(.load(host: 1), 5, 1)], eventTime: 100)
        try fixture.close()
        #expect(try fixture.emit().isEmpty, "the other one has not come that far")
        try fixture.commit([], eventTime: 90, by: 1)
        try fixture.close()
        #expect(try fixture.emit().count == 2)
        try fixture.commit([(.load(host: 2), 7, 5)], by: 1)
        try fixture.close()
        #expect(try fixture.emit().map(\.revision) == [2])
        try fixture.expectEmittedEqualsSamples(at: 90)
        #expect(throws: StoreError.otherRules(path: fixture.store.path)) {
            try fixture.open([try Self.rule("r", [.min])])
        }
        #expect(throws: StoreError.otherRules(path: fixture.store.path)) { try fixture.open([]) }
    }

    @Test func `a process that was killed holds windows back until its patience is over`() throws {
        let fixture = try RuleFixture([try Self.rule("r")], members: 2)
        let patience = SeriesWriter.Configuration().memberPatience
        let now = Timestamp.now()
        try fixture.commit([(.load(host: 2), 6, 1)], eventTime: 50, by: 1, now: now)
        try fixture.commit([(.load(host: 1), 5, 1)], eventTime: 100, now: now)
        try fixture.close()
        // Nothing more is heard of the other one, which may still have its partitions.
        try fixture.commit([], eventTime: 101, now: now + patience)
        try fixture.close()
        #expect(try fixture.emit().isEmpty)
        try fixture.commit([], eventTime: 102, now: now + patience + .milliseconds(1))
        try fixture.close()
        #expect(try fixture.emit().count == 2, "what it stored is in there")
        // Should it be alive after all, what it brings opens the window again.
        try fixture.commit([(.load(host: 2), 7, 5)], eventTime: 60, by: 1, now: now + patience + .seconds(1))
        try fixture.close()
        #expect(try fixture.emit().map(\.revision) == [2])
    }

    @Test func `the last records equal the samples when processes share a database and take turns in leading`() throws {
        var random = SeededGenerator()
        let fixture = try RuleFixture(
            [
                try Self.rule("minutes", [.countSamples, .sumSamples, .last]),
                try Self.rule("sliding", interval: 120, every: 30, [.increase, .max], by: ["host"]),
            ], members: 3)
        var eventTimes: [Int64] = [0, 0, 0]
        for round in 0..<60 {
            let member = Int.random(in: 0..<3, using: &random)
            let samples = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                (
                    series: Labels.load(host: Int.random(in: 0..<5, using: &random)),
                    seconds: eventTimes[member] + Int64.random(in: -60..<60, using: &random), value: Double(round)
                )
            }
            eventTimes[member] += Int64.random(in: 0...100, using: &random)
            try fixture.commit(samples, eventTime: eventTimes[member], by: member)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: try fixture.restart(nil, Int.random(in: 0..<3, using: &random))
            case 1: try fixture.emit(limit: 3)
            default: try fixture.close()
            }
        }
        let last = (eventTimes.max() ?? 0) + 100
        for member in 0..<3 { try fixture.commit([], eventTime: last, by: member) }
        // Who led has ended, perhaps, and another one tries once a second.
        let deadline = ContinuousClock.now + .seconds(60)
        repeat { try fixture.close() } while try fixture.isBehind(last) && .now < deadline
        while try !fixture.emit().isEmpty {}
        try fixture.expectEmittedEqualsSamples(at: last, "seed \(random.seed)")
    }

    @Test func `a backlog that goes into chunks is evaluated from there`() throws {
        let fixture = try RuleFixture([try Self.rule("r", [.countSamples, .first])])
        let samples = (0..<3).flatMap { host in
            (0..<400).map { (series: Labels.load(host: host), seconds: Int64($0) * 10, value: Double($0)) }
        }
        try fixture.commit(samples, eventTime: 4000)
        try fixture.close()
        #expect(try fixture.emit().count == 3 * 66)
        try fixture.expectEmittedEqualsSamples(at: 4000)
    }
}
