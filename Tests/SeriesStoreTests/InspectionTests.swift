import FoundationEssentials
import GRDB
import Logging
import MetricModel
import SeriesStore
import TestKit
import Testing

@Suite struct InspectionTests {
    /// Ten series, a sample a second for 20 minutes: some packed, some rows.
    private func filled(_ store: StoreFixture) throws -> SeriesWriter {
        var configuration = SeriesWriter.Configuration()
        configuration.sealAge = .seconds(60)
        let writer = try store.writer(configuration)
        for second in 0..<1200 where second % 4 == 0 {
            var head = Head()
            for host in 0..<10 {
                if second == 0 { head.define(SeriesReference(host), labels: .load(host: host)) }
                head.append(SeriesReference(host), timestamp: .at(Int64(second) * 1000), value: Double(second * host))
            }
            _ = try writer.commit(head)
            if second % 200 == 0 { while try writer.seal() {} }
        }
        return writer
    }

    /// Changes a closed database behind weir's back, then checks it.
    private func findings(after sql: String) throws -> [String] {
        let store = try StoreFixture()
        try filled(store).close()
        let database = try DatabaseQueue(path: store.path)
        try database.write { try $0.execute(sql: sql) }
        try database.close()
        return try DatabaseCheck(path: store.path).run().findings.map(\.description)
    }

    @Test func `a sound database has no findings, also while it is written`() throws {
        let store = try StoreFixture()
        let writer = try filled(store)
        let report = try DatabaseCheck(path: store.path).run()
        #expect(report.findings.isEmpty)
        #expect(report.series == 10)
        #expect(report.samples == 3000)
        #expect(report.comparedWindows == 210)
        try writer.close()
    }

    @Test(arguments: [
        ("UPDATE chunk SET samples = x'0203040506' WHERE series_id = 3", "chunk 0 of series 3: it is damaged"),
        ("UPDATE chunk SET last = last + 1000 WHERE series_id = 3", "chunk 0 of series 3: its samples do not lie"),
        ("DELETE FROM sample WHERE series_id = 4", "the 1m window of series 4"),
        ("UPDATE window_1m SET sum = sum + 1 WHERE series_id = 5", "is not that of its samples"),
        ("DELETE FROM window_1h WHERE series_id = 6", "no 1h window of series 6"),
        ("UPDATE window_1m SET start = start + 3000000 WHERE series_id = 7", "without samples"),
        ("DELETE FROM series WHERE id = 8", "samples of series 8, which does not exist"),
        ("DELETE FROM series_state WHERE series_id = 9", "series 9: it has no retention"),
        ("DELETE FROM series_label WHERE series_id = 2", "the label index has 18 entries, the series have 20 labels"),
        ("UPDATE series SET fingerprint = 1 WHERE id = 1", "series 1: wrong fingerprint"),
    ])
    func `what is not as it should be is found and named`(_ change: (sql: String, finding: String)) throws {
        let findings = try findings(after: change.sql)
        #expect(findings.contains { $0.contains(change.finding) }, "\(findings)")
    }

    @Test func `flipped bits in the file are found, or change nothing that is read`() throws {
        var random = SeededGenerator()
        let store = try StoreFixture()
        try filled(store).close()
        let whole = try Data(contentsOf: URL(filePath: store.path))
        for _ in 0..<20 {
            var bytes = whole
            let position = Int.random(in: 100..<bytes.count, using: &random)
            bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try bytes.write(to: URL(filePath: store.path))
            // An error or findings or nothing, but never a trap.
            do {
                _ = try DatabaseCheck(path: store.path).run()
            } catch {
                #expect("\(error)".contains(store.path))
            }
        }
    }

    @Test func `statistics say what is there`() throws {
        let store = try StoreFixture()
        let writer = try filled(store)
        let statistics = try store.reader().statistics(top: 1)
        #expect(statistics.series == 10)
        #expect(statistics.samples == 3000)
        #expect(statistics.sealedSamples > 1000 && statistics.sealedSamples < 3000)
        #expect(statistics.oldestSample == .at(0))
        #expect(statistics.newestSample == .at(1_196_000))
        #expect(statistics.minuteWindows == 200)
        #expect(statistics.hourWindows == 10)
        #expect(statistics.metrics.map(\.name) == ["load"])
        #expect(statistics.labels.map(\.count) == [10])
        #expect(statistics.retentions.map(\.series) == [10])
        #expect((statistics.bytesPerSealedSample ?? 0) > 0)
        try writer.close()
    }

    @Test func `a backup made while samples are written is one committed state`() async throws {
        let store = try StoreFixture()
        let writer = try filled(store)
        let target = store.directory.appending("copy.sqlite")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try DatabaseBackup.run(from: store.path, to: target) }
            group.addTask {
                for round in 0..<50 {
                    var head = Head()
                    for host in 0..<10 {
                        head.append(
                            SeriesReference(host), timestamp: .at(2_000_000 + Int64(round) * 1000), value: 1)
                    }
                    head.advance(SourcePartition(topic: "t", partition: 0), through: round)
                    _ = try writer.commit(head)
                }
            }
            try await group.waitForAll()
        }
        #expect(try DatabaseCheck(path: target).run().findings.isEmpty)
        let reader = try SeriesReader(path: target)
        let rounds = try reader.progress().offsets.values.first ?? 0
        let ids = try reader.series(matching: []).map(\.id)
        let late = try reader.samples(of: ids, from: .at(2_000_000), to: .end)
        #expect(ids.allSatisfy { late[$0]?.count ?? 0 == Int(rounds) }, "offsets and samples belong together")
        try reader.close()
        #expect(throws: StoreError.exists(path: target)) { try DatabaseBackup.run(from: store.path, to: target) }
        try writer.close()
        // The copy is a database like any other.
        try SeriesWriter(path: target, logger: Logger(label: "test")).close()
    }
}
