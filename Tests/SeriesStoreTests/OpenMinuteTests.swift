import Aggregation
import GRDB
import MetricModel
import TestKit
import Testing

@testable import SeriesStore

/// Samples of the present minute, which are in no window table until it is over.
@Suite struct OpenMinuteTests {
    private static func head(
        _ hosts: Range<Int>, at timestamp: Timestamp, value: Double = 1, isNew: Bool = false
    ) -> Head {
        var head = Head()
        for host in hosts {
            if isNew { head.define(SeriesReference(host), labels: .load(host: host)) }
            head.append(SeriesReference(host), timestamp: timestamp, value: value)
        }
        return head
    }

    private func count(_ table: String, in store: StoreFixture) throws -> Int {
        let queue = try DatabaseQueue(path: store.path)
        defer { try? queue.close() }
        return try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") } ?? 0
    }

    private func expectSound(_ store: StoreFixture, _ what: String = "") throws {
        try store.reader().expectWindowsEqualSamples(what)
        #expect(try DatabaseCheck(path: store.path).run().findings.isEmpty, "\(what)")
    }

    @Test func `a minute is counted once, some seconds after its end, and readers see it before`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        for second in 0..<60 {
            let now = Timestamp.at(Int64(second) * 1000)
            let report = try writer.commit(
                Self.head(0..<3, at: now, value: Double(second), isNew: second == 0), now: now)
            #expect(report.writtenWindows == 0)
        }
        #expect(try count("window_1m", in: store) == 0)
        try expectSound(store, "open")
        let ids = try store.reader().series(matching: []).map(\.id)
        #expect(try store.reader().latest(of: ids, since: .at(0)).values.map(\.value) == [59, 59, 59])
        let queue = try DatabaseQueue(path: store.path)
        let rows = try queue.read {
            try Row.fetchAll($0, sql: "SELECT count, sum, min, max, first, last FROM minutes ORDER BY series")
        }
        #expect(rows.count == 3)
        #expect(rows.allSatisfy { $0["count"] == 60 && $0["sum"] == 1770.0 && $0["min"] == 0.0 && $0["max"] == 59.0 })
        #expect(rows.allSatisfy { $0["first"] == 0.0 && $0["last"] == 59.0 })
        try queue.close()

        #expect(try !writer.seal(now: .at(64_999)))
        #expect(try count("window_1m", in: store) == 0)
        while try writer.seal(now: .at(65_000)) {}
        #expect(try count("window_1m", in: store) == 3)
        #expect(try count("window_1h", in: store) == 3)
        #expect(try count("minutes", in: store) == 3)
        try expectSound(store, "settled")
        // A late one goes into its windows at once.
        #expect(try writer.commit(Self.head(1..<2, at: .at(30_500)), now: .at(66_000)).writtenWindows == 2)
        try expectSound(store, "late")
        try writer.close()
    }

    @Test func `a minute of very many series is settled in steps, and right between them`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        let all = 0..<9000
        _ = try writer.commit(Self.head(all, at: .at(1000), isNew: true), now: .at(1000))
        #expect(try writer.seal(now: .at(70_000)))
        let settled = try count("window_1m", in: store)
        #expect(settled > 0 && settled < all.count)
        try expectSound(store, "after a step")
        // One of each side of the border, and a new series.
        _ = try writer.commit(Self.head(0..<1, at: .at(2000)), now: .at(70_000))
        _ = try writer.commit(Self.head(8999..<9001, at: .at(2000), isNew: true), now: .at(70_000))
        _ = try writer.commit(Self.head(0..<1, at: .at(61_000)), now: .at(70_000))
        try expectSound(store, "between two steps")
        #expect(try count("minutes", in: store) == 9002)
        while try writer.seal(now: .at(70_000)) {}
        #expect(try count("window_1m", in: store) == 9001)
        try expectSound(store, "after all")
        try writer.close()
    }

    @Test func `a backlog settles what was open`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        _ = try writer.commit(Self.head(0..<3, at: .at(1000), isNew: true), now: .at(1000))
        var backlog = Head()
        for second in 2..<40 {
            for host in 0..<3 {
                backlog.append(SeriesReference(host), timestamp: .at(Int64(second) * 1000), value: Double(second))
            }
        }
        _ = try writer.commit(backlog, now: .at(40_000))
        #expect(try count("window_1m", in: store) == 3)
        try expectSound(store)
        _ = try writer.commit(Self.head(0..<3, at: .at(41_000)), now: .at(41_000))
        try expectSound(store)
        try writer.close()
    }

    @Test func `a database without a border has everything in windows already`() throws {
        let store = try StoreFixture()
        let queue = try DatabaseQueue(path: store.path)
        try Schema.migrate(queue, upTo: 6)
        try queue.write { database in
            try database.execute(
                sql: """
                    INSERT INTO series (id, metric, labels, fingerprint) VALUES (1, 'a', 'a', \(SeriesTables.fingerprint(of: "a")));
                    INSERT INTO label (id, name, value) VALUES (1, '__name__', 'a');
                    INSERT INTO series_label (label_id, series_id) VALUES (1, 1);
                    INSERT INTO retention (id, samples, minutes, hours, floor) VALUES (1, 0, 0, 0, \(Int64.min));
                    INSERT INTO series_state (series_id, retention, last_hour) VALUES (1, 1, 0);
                    INSERT INTO sample (timestamp, series_id, value) VALUES (61000, 1, 5);
                    INSERT INTO window_1m VALUES (60000, 1, 1, 5, 5, 5, 5, 5, 61000, 61000, 0);
                    INSERT INTO window_1h VALUES (0, 1, 1, 5, 5, 5, 5, 5, 61000, 61000, 0);
                    """)
        }
        try queue.close()
        try store.writer().close()
        try expectSound(store)
        #expect(try count("minutes", in: store) == 1)
    }

    @Test func `whoever writes, settles, dies and comes late, windows equal the samples`() throws {
        var random = SeededGenerator()
        let store = try StoreFixture()
        var configuration = SeriesWriter.Configuration()
        configuration.sealAge = .seconds(90)
        let source = { (index: Int) in SourcePartition(topic: "t", partition: Int32(index)) }
        var writers = [try store.writer(configuration), try store.writer(configuration)]
        var known: [Set<Int>] = [[], []]
        var offsets: [Int64] = [0, 0]
        var now = Timestamp.at(0)
        for round in 0..<150 {
            let index = Int.random(in: 0..<2, using: &random)
            if Int.random(in: 0..<12, using: &random) == 0 {
                // It goes as a killed one does: nothing is tidied.
                let old = writers[index]
                writers[index] = try store.writer(configuration)
                known[index] = []
                try old.close()
            }
            now += .milliseconds(Int.random(in: 100...20_000, using: &random))
            var head = Head()
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                let host = Int.random(in: 0..<6, using: &random)
                if known[index].insert(host).inserted { head.define(SeriesReference(host), labels: .load(host: host)) }
                let isLate = Int.random(in: 0..<5, using: &random) == 0
                let age = Int64.random(in: isLate ? -20_000...200_000 : 0...3000, using: &random)
                let value = Int.random(in: 0..<20, using: &random) == 0 ? Double.stalenessMarker : Double(age)
                head.append(SeriesReference(host), timestamp: now - .milliseconds(age), value: value)
            }
            let next = offsets[index] + 1
            head.advance(
                source(index), from: offsets[index] == 0 ? nil : SourcePosition(nextOffset: offsets[index]),
                to: SourcePosition(nextOffset: next))
            _ = try writers[index].commit(head, now: now)
            offsets[index] = next
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                _ = try writers[Int.random(in: 0..<2, using: &random)].seal(now: now)
            }
            if round % 10 == 0 { try expectSound(store, "round \(round)") }
        }
        #expect(try count("window_1m", in: store) > 50)
        #expect(try count("chunk", in: store) > 0)
        try expectSound(store, "at the end")
        for writer in writers { try writer.close() }
    }
}
