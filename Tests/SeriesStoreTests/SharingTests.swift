import Aggregation
import Glibc
import GRDB
import Logging
import MetricModel
@testable import SeriesStore
import TestKit
import Testing

/// Several writers of one database, as the processes of one consumer group are.
@Suite struct SharingTests {
    private let source = SourcePartition(topic: "metrics.load", partition: 0)
    private let stream = AgentStream(agent: "a", epoch: 0, topic: "metrics.load")

    private func configuration(group: String? = "weir", retention: RetentionPolicy = .forever)
        -> SeriesWriter.Configuration
    {
        var configuration = SeriesWriter.Configuration()
        configuration.group = group
        configuration.retention = retention
        return configuration
    }

    /// One sample of one host.
    private func head(_ host: Int, at timestamp: Timestamp, isNew: Bool = true) -> Head {
        var head = Head()
        if isNew { head.define(SeriesReference(host), labels: .load(host: host)) }
        head.append(SeriesReference(host), timestamp: timestamp, value: Double(host))
        return head
    }

    @Test func `a database belongs to the group of its first writer`() throws {
        let store = try StoreFixture()
        // As an earlier version left it.
        try store.makeFirstVersion { _ in }
        let writer = try store.writer(configuration())
        let error = StoreError.otherGroup(path: store.path, stored: "weir", given: "archive")
        #expect(throws: error) { try store.writer(configuration(group: "archive")) }
        #expect("\(error)".contains("'weir'") && "\(error)".contains("'archive'"))
        try writer.close()
        #expect(throws: error, "also when nobody has it open") {
            try store.writer(configuration(group: "archive", retention: RetentionPolicy(otherwise: try hourly())))
        }
        try store.writer(configuration()).close()
        try store.writer(configuration(group: nil)).close()
    }

    private func hourly() throws -> Retention {
        try Retention(samples: .seconds(3600), minutes: .seconds(7200), hours: .seconds(7200))
    }

    @Test func `writers keep things for the same time; one that is alone may change it`() throws {
        let store = try StoreFixture()
        let other = RetentionPolicy(otherwise: try hourly())
        let writer = try store.writer(configuration())
        #expect(
            throws: StoreError.otherRetention(
                path: store.path, processID: getpid(), stored: "\(RetentionPolicy.forever)", given: "\(other)")
        ) { try store.writer(configuration(retention: other)) }
        try writer.close()
        try store.writer(configuration(retention: other)).close()
    }

    @Test func `a head that does not go on from what is stored is refused as a whole`() throws {
        let store = try StoreFixture()
        let (first, second) = (try store.writer(), try store.writer())
        var head = head(0, at: .at(0))
        head.advance(source, from: nil, to: SourcePosition(nextOffset: 10, topicID: "t"))
        _ = try first.commit(head)
        // The second one read the same records, before it knew.
        #expect(
            throws: StoreError.superseded(
                path: store.path,
                .position(source, expected: nil, stored: SourcePosition(nextOffset: 10, topicID: "t")))
        ) { try second.commit(head) }
        var next = self.head(1, at: .at(1))
        next.advance(
            source, from: SourcePosition(nextOffset: 10, topicID: "t"), to: SourcePosition(nextOffset: 12, topicID: "t")
        )
        #expect(try second.commit(next).storedSamples == 1)
        // And now the first one is behind, also with an offset that was right once.
        #expect(throws: StoreError.self) { try first.commit(next) }
        let reader = try store.reader()
        #expect(try reader.progress().positions == [source: SourcePosition(nextOffset: 12, topicID: "t")])
        #expect(try reader.seriesCount() == 2)
        try reader.expectWindowsEqualSamples()
        try first.close()
        try second.close()
    }

    @Test func `an offset of another topic of the same name is none to go on from`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        var head = Head()
        head.advance(source, from: nil, to: SourcePosition(nextOffset: 10, topicID: "old"))
        _ = try writer.commit(head)
        var other = Head()
        other.advance(source, from: SourcePosition(nextOffset: 10, topicID: "new"), to: SourcePosition(nextOffset: 11))
        #expect(throws: StoreError.self) { try writer.commit(other) }
        var anew = Head()
        anew.advance(
            source, from: SourcePosition(nextOffset: 10, topicID: "old"),
            to: SourcePosition(nextOffset: 1, topicID: "new"))
        _ = try writer.commit(anew)
        #expect(try writer.progress().offsets == [source: 1])
        try writer.close()
    }

    @Test func `a record of an agent that two writers read counts once`() throws {
        let store = try StoreFixture()
        let (first, second) = (try store.writer(), try store.writer())
        func head(_ range: ClosedRange<Int64>, partition: Int32) -> Head {
            var head = Head()
            for sequence in range { head.count(sequence, of: stream) }
            head.advance(
                SourcePartition(topic: "metrics.load", partition: partition), from: nil,
                to: SourcePosition(nextOffset: 1))
            return head
        }
        _ = try first.commit(head(0...5, partition: 0))
        #expect(throws: StoreError.superseded(path: store.path, .sequences(stream, 4...5))) {
            try second.commit(head(4...9, partition: 1))
        }
        _ = try second.commit(head(6...9, partition: 1))
        _ = try first.commit(head(10...12, partition: 2))
        #expect(try second.progress().sequences == [stream: SequenceSet([0...12])])
        try first.close()
        try second.close()
    }

    @Test func `only one writer leads, and when it goes another does`() async throws {
        let store = try StoreFixture()
        var configuration = configuration()
        configuration.sealAge = .seconds(60)
        let (first, second) = (try store.writer(configuration), try store.writer(configuration))
        #expect(try first.leads())
        #expect(try !second.leads())
        for minute in 0..<10 {
            _ = try second.commit(head(0, at: .at(Int64(minute) * 60_000), isNew: minute == 0))
        }
        #expect(try !second.seal(), "that is the leader's task")
        #expect(try first.seal(), "the leader seals what others wrote")
        #expect(first.isShared && !second.isShared)
        // In the middle of it the first goes.
        try first.close()
        try await eventually("the second leads") { try second.leads() }
        while try second.seal() {}
        let reader = try store.reader()
        try reader.expectWindowsEqualSamples()
        let database = try DatabaseQueue(path: store.path)
        #expect(try await database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM chunk") } == 1)
        try second.close()
    }

    @Test func `a series that the leader removed gets new rows in another process, and never an old id`() throws {
        let store = try StoreFixture()
        let configuration = configuration(retention: RetentionPolicy(otherwise: try hourly()))
        let (leader, other) = (try store.writer(configuration), try store.writer(configuration))
        #expect(try leader.leads())
        _ = try other.commit(head(0, at: .at(0)), now: .at(0))
        _ = try leader.commit(head(7, at: .at(0)), now: .at(0))
        let day = Timestamp.at(86_400_000)
        while try leader.expire(now: day) {}
        #expect(try store.reader().seriesCount() == 0)
        // The other one knows the series, and by now nothing of it is there.
        let report = try other.commit(head(0, at: day, isNew: false), now: day)
        #expect(report.newSeries == 1 && report.storedSamples == 1)
        let reader = try store.reader()
        let series = try reader.series(matching: [])
        #expect(series.map(\.labels) == [.load(host: 0)])
        #expect(series.map(\.id) == [SeriesID(3)], "ids 1 and 2 are history")
        try reader.expectWindowsEqualSamples()
        try leader.close()
        try other.close()
    }

    @Test func `a process that was silent for longer than removals are remembered defines its series anew`() throws {
        let store = try StoreFixture()
        let configuration = configuration(retention: RetentionPolicy(otherwise: try hourly()))
        let (leader, other) = (try store.writer(configuration), try store.writer(configuration))
        #expect(try leader.leads())
        _ = try other.commit(head(0, at: .at(0)), now: .at(0))
        let day = Timestamp.at(86_400_000)
        while try leader.expire(now: day) {}
        while try leader.expire(now: day + .seconds(4000)) {}
        #expect(throws: StoreError.superseded(path: store.path, .series)) {
            try other.commit(head(0, at: day, isNew: false), now: day)
        }
        #expect(try other.commit(head(0, at: day), now: day).newSeries == 1)
        try leader.close()
        try other.close()
    }

    @Test func `limits count the series that other processes create and remove`() throws {
        let store = try StoreFixture()
        var configuration = configuration(retention: RetentionPolicy(otherwise: try hourly()))
        configuration.limits.total = 3
        let (first, second) = (try store.writer(configuration), try store.writer(configuration))
        #expect(try first.leads())
        for host in 0..<2 { _ = try first.commit(head(host, at: .at(0)), now: .at(0)) }
        #expect(try second.commit(head(2, at: .at(0)), now: .at(0)).newSeries == 1)
        #expect(try second.commit(head(3, at: .at(0)), now: .at(0)).refusedSamples == 1)
        #expect(try first.commit(head(4, at: .at(0)), now: .at(0)).refusedSamples == 1)
        let day = Timestamp.at(86_400_000)
        while try first.expire(now: day) {}
        for host in 5..<8 { #expect(try second.commit(head(host, at: day), now: day).newSeries == 1) }
        #expect(try first.commit(head(9, at: day), now: day).refusedSamples == 1)
        try first.close()
        try second.close()
    }

    /// Two writers with every partition moving between them, stale heads, and maintenance: compared with a model.
    @Test func `whatever two writers do in turn, every sample and window counts once`() throws {
        var random = SeededGenerator()
        let store = try StoreFixture()
        var configuration = configuration()
        configuration.sealAge = .seconds(120)
        var writers = [try store.writer(configuration), try store.writer(configuration)]
        var known = [Set<Int>(), Set<Int>()]
        var model: [Int: [Timestamp: Double]] = [:]
        var stored: [SourcePartition: SourcePosition] = [:]
        var superseded = 0
        for round in 0..<300 {
            let index = Int.random(in: 0..<2, using: &random)
            if Int.random(in: 0..<40, using: &random) == 0 {
                try writers[index].close()
                writers[index] = try store.writer(configuration)
                known[index] = []
            }
            let source = SourcePartition(topic: "t", partition: Int32.random(in: 0..<4, using: &random))
            // Now and then the writer believes in an older offset, as one that was stopped does.
            let isStale = stored[source] != nil && Int.random(in: 0..<5, using: &random) == 0
            let from = isStale ? nil : stored[source]
            var head = Head()
            var samples: [(host: Int, timestamp: Timestamp, value: Double)] = []
            for number in 0..<Int.random(in: 1...30, using: &random) {
                let host = Int.random(in: 0..<12, using: &random)
                let late = Int64.random(in: 0..<400, using: &random) * 1000
                samples.append((host, .at(Int64(round) * 10_000 - late), Double(round * 100 + number)))
            }
            var defined: Set<Int> = []
            for sample in samples {
                if !known[index].contains(sample.host), defined.insert(sample.host).inserted {
                    head.define(SeriesReference(sample.host), labels: .load(host: sample.host))
                }
                head.append(SeriesReference(sample.host), timestamp: sample.timestamp, value: sample.value)
            }
            let to = SourcePosition(nextOffset: (stored[source]?.nextOffset ?? 0) + 1)
            head.advance(source, from: from, to: to)
            do {
                _ = try writers[index].commit(head)
                #expect(!isStale)
                stored[source] = to
                known[index].formUnion(defined)
                for sample in samples where model[sample.host]?[sample.timestamp] == nil {
                    model[sample.host, default: [:]][sample.timestamp] = sample.value
                }
            } catch {
                guard case .superseded = error else { throw error }
                #expect(isStale)
                superseded += 1
            }
            for _ in 0..<Int.random(in: 0...3, using: &random) { _ = try writers.randomElement(using: &random)?.seal() }
        }
        #expect(superseded > 10)
        let reader = try store.reader()
        let series = try reader.series(matching: [])
        let samples = try reader.samples(of: series.map(\.id), from: .beginning, to: .end)
        #expect(series.count == model.count)
        for series in series {
            let host = try #require(series.labels["host"].flatMap { Int($0) })
            let found = Dictionary(uniqueKeysWithValues: (samples[series.id] ?? []).map { ($0.timestamp, $0.value) })
            #expect(found == model[host])
        }
        try reader.expectWindowsEqualSamples()
        for writer in writers { try writer.close() }
    }
}
