import FoundationEssentials
import MetricModel
import SeriesStore
import TestKit
import Testing

@Suite struct CrashTests {
    /// A crash leaves the database and a prefix of what was written to its log; the log may end anywhere.
    @Test func `a database copied at any instant opens with whole commits`() throws {
        var random = SeededGenerator()
        let store = try StoreFixture()
        // Sealing goes on beside the commits, so that some copies are made in the middle of it.
        var configuration = SeriesWriter.Configuration()
        configuration.sealAge = .seconds(120)
        let writer = try store.writer(configuration)
        let source = SourcePartition(topic: "metrics.load", partition: 0)
        var copies: [(database: Data, log: Data, committed: Int64)] = []
        for round in 1...40 {
            var head = Head()
            if round == 1 {
                for host in 0..<10 { head.define(SeriesReference(host), labels: .load(host: host)) }
            }
            for host in 0..<10 {
                let late = Int64.random(in: 0..<20, using: &random) * 7
                head.append(SeriesReference(host), timestamp: .at(Int64(round) * 30_000 - late), value: Double(round))
            }
            head.advance(source, through: round - 1)
            let stream = AgentStream(agent: "a", epoch: 0, topic: "metrics.load")
            if round == 1 { head.count(0, of: stream) }
            head.count(Int64(round), of: stream)
            _ = try writer.commit(head)
            for _ in 0..<Int.random(in: 0...2, using: &random) { _ = try writer.seal() }
            if round % 5 == 0 {
                let database = try #require(FileManager.default.contents(atPath: store.path))
                let log = try #require(FileManager.default.contents(atPath: store.path + "-wal"))
                copies.append((database, log, Int64(round)))
            }
        }
        try writer.close()

        for (database, log, committed) in copies {
            for _ in 0..<8 {
                let crashed = try StoreFixture()
                let cut = Int.random(in: 0...log.count, using: &random)
                try database.write(to: URL(fileURLWithPath: crashed.path))
                try log.prefix(cut).write(to: URL(fileURLWithPath: crashed.path + "-wal"))
                let writer = try crashed.writer(configuration)
                let progress = try writer.progress()
                let offset = progress.offsets[source] ?? 0
                #expect(offset <= committed)
                if cut == log.count { #expect(offset == committed) }
                #expect(progress.sequences.values.first?.intervals.first?.upperBound ?? 0 == offset)
                let reader = try crashed.reader()
                let ids = try reader.series(matching: []).map(\.id)
                let samples = try reader.samples(of: ids, from: .beginning, to: .end)
                #expect(samples.values.reduce(0) { $0 + $1.count } == Int(offset) * 10)
                try reader.expectWindowsEqualSamples("cut at \(cut) of \(log.count):")
                while try writer.seal() {}
                #expect(try reader.samples(of: ids, from: .beginning, to: .end) == samples)
                try writer.close()
            }
        }
    }

    @Test func `a writer that went away without closing leaves everything it committed`() throws {
        let store = try StoreFixture()
        do {
            let writer = try store.writer()
            var head = Head()
            head.define(SeriesReference(0), labels: .load(host: 0))
            head.append(SeriesReference(0), timestamp: .at(0), value: 1)
            _ = try writer.commit(head)
        }
        let writer = try store.writer()
        #expect(try store.reader().seriesCount() == 1)
        try writer.close()
    }
}
