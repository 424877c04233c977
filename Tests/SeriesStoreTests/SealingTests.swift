import GRDB
import MetricModel
@testable import SeriesStore
import TestKit
import Testing

@Suite struct SealingTests {
    private func fast() -> SeriesWriter.Configuration {
        var configuration = SeriesWriter.Configuration()
        configuration.sealAge = .seconds(60)
        return configuration
    }

    private func count(_ table: String, _ store: StoreFixture) throws -> Int {
        let database = try DatabaseQueue(path: store.path)
        defer { try? database.close() }
        return try database.read { database in
            try Int.fetchOne(database, sql: "SELECT count(*) FROM \(table)") ?? 0
        }
    }

    /// One sample of ten series, as a live commit brings them.
    private func tick(_ second: Int, _ writer: SeriesWriter, defining: Bool = false) throws {
        var head = Head()
        for host in 0..<10 {
            if defining { head.define(SeriesReference(host), labels: .load(host: host)) }
            head.append(SeriesReference(host), timestamp: .at(Int64(second) * 1000), value: Double(second * host))
        }
        _ = try writer.commit(head)
    }

    @Test func `old rows move into chunks, and nothing else changes`() throws {
        let store = try StoreFixture()
        let writer = try store.writer(fast())
        for second in 0..<200 { try tick(second, writer, defining: second == 0) }
        let reader = try store.reader()
        let ids = try reader.series(matching: []).map(\.id)
        let before = try reader.samples(of: ids, from: .beginning, to: .end)
        #expect(try count("sample", store) == 2000)
        var steps = 0
        while try writer.seal() {
            steps += 1
            #expect(try reader.samples(of: ids, from: .beginning, to: .end) == before, "after step \(steps)")
        }
        #expect(steps > 0)
        #expect(try count("sample", store) == 610, "the last minute stays")
        #expect(try count("chunk", store) == 10)
        #expect(try reader.samples(of: [ids[3]], from: .at(30_000), to: .at(33_000))[ids[3]]?.count == 3)
        #expect(try reader.samples(of: [ids[3]], from: .at(135_000), to: .at(145_000))[ids[3]]?.count == 10)
        try reader.expectWindowsEqualSamples()
        try writer.close()
    }

    @Test func `a sample that comes while its time is being sealed is stored once`() throws {
        var random = SeededGenerator()
        let store = try StoreFixture()
        var writer = try store.writer(fast())
        for second in 0..<200 where second % 10 < 7 { try tick(second, writer, defining: second == 0) }
        var stored = 1400
        var isMore = true
        while isMore {
            if Bool.random(using: &random) {
                // Some of these seconds are there, as rows, as chunks or as both; some are not.
                var head = Head()
                let host = Int.random(in: 0..<10, using: &random)
                head.define(SeriesReference(host), labels: .load(host: host))
                for _ in 0..<20 {
                    let second = Int64.random(in: 0..<200, using: &random)
                    head.append(SeriesReference(host), timestamp: .at(second * 1000), value: -1)
                }
                stored += try writer.commit(head).storedSamples
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                // What sealing had in memory is gone.
                try writer.close()
                writer = try store.writer(fast())
            }
            isMore = try writer.seal()
        }
        let reader = try store.reader()
        let ids = try reader.series(matching: []).map(\.id)
        let samples = try reader.samples(of: ids, from: .beginning, to: .end)
        #expect(samples.values.reduce(0) { $0 + $1.count } == stored)
        for series in samples.values {
            let late = series.filter { $0.value == -1 }
            #expect(late.allSatisfy { ($0.timestamp.milliseconds - Timestamp.at(0).milliseconds) / 1000 % 10 >= 7 })
            #expect(zip(series, series.dropFirst()).allSatisfy { $0.timestamp < $1.timestamp })
        }
        try reader.expectWindowsEqualSamples()
        try writer.close()
    }

    @Test func `a backlog goes into chunks at once`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        var head = Head()
        for host in 0..<10 {
            head.define(SeriesReference(host), labels: .load(host: host))
            for second in 0..<5000 {
                head.append(SeriesReference(host), timestamp: .at(Int64(second) * 1000), value: Double(second))
            }
        }
        let report = try writer.commit(head)
        #expect(report.storedSamples == 50_000)
        #expect(try count("sample", store) == 0)
        #expect(try count("chunk", store) <= 200)
        #expect(try writer.commit(head).duplicateSamples == 50_000)
        let reader = try store.reader()
        try reader.expectWindowsEqualSamples()
        let id = try reader.series(matching: [])[4].id
        let found = try reader.samples(of: [id], from: .at(3_500_000), to: .at(3_700_000))[id] ?? []
        #expect(found.map(\.value) == (3500..<3700).map(Double.init))
        try writer.close()
    }

    @Test func `a clock far ahead does not send everybody else's samples into chunks`() throws {
        let store = try StoreFixture()
        let writer = try store.writer(fast())
        var head = Head()
        head.define(SeriesReference(99), labels: .load(host: 99))
        let future = Timestamp.now() + .seconds(10_000_000)
        for second in 0..<100 {
            head.append(SeriesReference(99), timestamp: future + .seconds(second), value: 1)
        }
        _ = try writer.commit(head)
        while try writer.seal() {}
        let now = Timestamp.now() + .seconds(5)
        var live = Head()
        live.append(SeriesReference(99), timestamp: now, value: 1)
        _ = try writer.commit(live)
        #expect(try count("sample", store) == 101)
        #expect(try count("chunk", store) == 0)
        try writer.close()
    }

    @Test func `a database of the first version gets the newer tables, and keeps what it has`() throws {
        let store = try StoreFixture()
        try store.makeFirstVersion { database in
            try database.execute(
                sql: """
                    INSERT INTO series (id, metric, labels, fingerprint) VALUES (1, 'load', 'load{host="1"}', 5);
                    INSERT INTO sample (timestamp, series_id, value) VALUES (\(Timestamp.at(0).milliseconds), 1, 2.5);
                    """)
        }
        #expect(throws: StoreError.olderSchema(path: store.path, version: 1, needed: Schema.version)) {
            try store.reader()
        }
        let writer = try store.writer()
        let reader = try store.reader()
        let id = try reader.series(matching: [])[0].id
        #expect(try reader.samples(of: [id], from: .beginning, to: .end)[id]?.map(\.value) == [2.5])
        try writer.close()
    }
}
