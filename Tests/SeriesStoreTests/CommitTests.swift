import Aggregation
import GRDB
import MetricModel
import SeriesStore
import TestKit
import Testing

@Suite struct CommitTests {
    @Test func `a commit stores samples, windows, offsets and sequences`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        let source = SourcePartition(topic: "metrics.cpu", partition: 2)
        let stream = AgentStream(agent: "a", epoch: 1, topic: "metrics.cpu")
        var head = Head()
        #expect(head.isEmpty)
        head.define(SeriesReference(0), labels: .load(host: 1))
        head.append(SeriesReference(0), timestamp: .at(0), value: 1)
        head.append(SeriesReference(0), timestamp: .at(59_000), value: 3)
        head.append(SeriesReference(0), timestamp: .at(60_000), value: 5)
        head.advance(source, from: nil, to: SourcePosition(nextOffset: 42))
        for sequence in [0, 1, 2, 3, 4, 5, 6, 7, 9] { head.count(Int64(sequence), of: stream) }
        let report = try writer.commit(head)
        #expect(report.storedSamples == 3)
        #expect(report.newSeries == 1)
        #expect(report.writtenWindows == 3)

        let reader = try store.reader()
        let series = try reader.series(matching: [])
        #expect(series.map(\.labels) == [.load(host: 1)])
        let id = series[0].id
        #expect(try reader.samples(of: [id], from: .at(0), to: .at(60_000))[id]?.map(\.value) == [1, 3])
        let minutes = try #require(try reader.windows(of: [id], resolution: .oneMinute, from: .at(0), to: .end)[id])
        #expect(minutes.map(\.start) == [.at(0), .at(60_000)])
        #expect(minutes[0].aggregate.sum.value == 4)
        let hours = try #require(try reader.windows(of: [id], resolution: .oneHour, from: .at(0), to: .end)[id])
        #expect(hours.map(\.aggregate.count) == [3])
        #expect(try reader.progress().offsets == [source: 42])
        #expect(try reader.progress().sequences == [stream: SequenceSet([0...7, 9...9])])
        try writer.close()
    }

    @Test func `windows equal the stored samples, however late and out of order samples come`() throws {
        var random = SeededGenerator()
        let store = try StoreFixture()
        var configuration = SeriesWriter.Configuration()
        configuration.sealAge = .seconds(100)
        var writer = try store.writer(configuration)
        let reader = try store.reader()
        var model: [Int: [Timestamp: Double]] = [:]
        var known = 0
        var now: Int64 = 0
        for round in 0..<60 {
            if Int.random(in: 0..<15, using: &random) == 0 {
                try writer.close()
                writer = try store.writer(configuration)
                known = 0
            }
            for _ in 0..<Int.random(in: 0...3, using: &random) { _ = try writer.seal() }
            var head = Head()
            var duplicates = 0
            for _ in 0..<Int.random(in: 0...300, using: &random) {
                now += Int64.random(in: 0...4000, using: &random)
                let series = Int.random(in: 0..<12, using: &random)
                while known <= series {
                    head.define(SeriesReference(known), labels: .load(host: known))
                    known += 1
                }
                let late =
                    Int.random(in: 0..<4, using: &random) == 0 ? Int64.random(in: 0...8_000_000, using: &random) : 0
                let timestamp = Timestamp.at((now - late) / 1000 * 1000)
                let value = randomValue(&random)
                head.append(SeriesReference(series), timestamp: timestamp, value: value)
                if model[series]?[timestamp] != nil {
                    duplicates += 1
                } else {
                    model[series, default: [:]][timestamp] = value
                }
            }
            let report = try writer.commit(head)
            #expect(report.duplicateSamples == duplicates)
            #expect(report.storedSamples == head.sampleCount - duplicates)
            if round % 10 == 9 { try reader.expectWindowsEqualSamples("round \(round):") }
        }
        for series in try reader.series(matching: []) {
            let host = try #require(Int(series.labels["host"] ?? ""))
            let expected = (model[host] ?? [:]).sorted { $0.key < $1.key }
            let found = try reader.samples(of: [series.id], from: .beginning, to: .end)[series.id] ?? []
            #expect(found.map(\.timestamp) == expected.map(\.key))
            #expect(found.map(\.value.bitPattern) == expected.map(\.value.bitPattern))
        }
        try writer.close()
    }

    private func randomValue(_ random: inout SeededGenerator) -> Double {
        switch Int.random(in: 0..<40, using: &random) {
        case 0: .infinity
        case 1: .stalenessMarker
        case 2: 0
        default: Double(Int64.random(in: -1 << 50...1 << 50, using: &random)) / 1024
        }
    }

    @Test func `NaN, infinities and the staleness marker come back as they are`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        let values: [Double] = [
            .nan, .infinity, -.infinity, .stalenessMarker, .leastNonzeroMagnitude, 9_007_199_254_740_992, 0.1,
        ]
        var head = Head()
        head.define(SeriesReference(0), labels: .load(host: 1))
        for (index, value) in values.enumerated() {
            head.append(SeriesReference(0), timestamp: .at(Int64(index)), value: value)
        }
        _ = try writer.commit(head)
        let reader = try store.reader()
        let id = try reader.series(matching: [])[0].id
        let found = try reader.samples(of: [id], from: .at(0), to: .at(1000))[id] ?? []
        #expect(found.map(\.value.bitPattern) == values.map(\.bitPattern))
        let hour = try #require(try reader.windows(of: [id], resolution: .oneHour, from: .at(0), to: .end)[id]?.first)
        #expect(hour.aggregate.count == 6, "the staleness marker is no value")
        #expect(hour.aggregate.sum.value.isNaN)
        #expect(hour.aggregate.max == .infinity)
    }

    @Test func `of two samples with one timestamp the first stays`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        var head = Head()
        head.define(SeriesReference(0), labels: .load(host: 1))
        head.append(SeriesReference(0), timestamp: .at(5), value: 1)
        head.append(SeriesReference(0), timestamp: .at(5), value: 2)
        #expect(try writer.commit(head).duplicateSamples == 1)
        var again = Head()
        again.append(SeriesReference(0), timestamp: .at(5), value: 3)
        #expect(try writer.commit(again).duplicateSamples == 1)
        let reader = try store.reader()
        let id = try reader.series(matching: [])[0].id
        #expect(try reader.samples(of: [id], from: .at(0), to: .end)[id]?.map(\.value) == [1])
        try reader.expectWindowsEqualSamples()
    }

    @Test func `a series keeps its id under another reference and after a restart`() throws {
        let store = try StoreFixture()
        for reference in [7, 3] {
            let writer = try store.writer()
            var head = Head()
            head.define(SeriesReference(reference), labels: .load(host: 1))
            head.define(SeriesReference(reference + 1), labels: .load(host: 1))
            head.append(SeriesReference(reference), timestamp: .at(Int64(reference)), value: 1)
            #expect(try writer.commit(head).newSeries == (reference == 7 ? 1 : 0))
            try writer.close()
        }
        #expect(try store.reader().seriesCount() == 1)
    }

    @Test func `a full disk stores nothing, names the file, and the same head succeeds later`() throws {
        let store = try StoreFixture()
        var limit = SeriesWriter.Configuration()
        limit.maximumBytes = 190_000
        let limited = try store.writer(limit)
        var head = Head()
        for series in 0..<400 {
            head.define(SeriesReference(series), labels: .load(host: series))
            for second in 0..<20 {
                head.append(SeriesReference(series), timestamp: .at(Int64(second) * 1000), value: Double(second))
            }
        }
        head.advance(
            SourcePartition(topic: "t", partition: 0), from: nil, to: SourcePosition(nextOffset: 9))
        #expect(throws: StoreError.full(path: store.path)) { try limited.commit(head) }
        let reader = try store.reader()
        #expect(try reader.seriesCount() == 0)
        #expect(try reader.progress().offsets.isEmpty)
        #expect("\(StoreError.full(path: store.path))".contains(store.path))
        try limited.close()
        let writer = try store.writer()
        let report = try writer.commit(head)
        #expect(report.newSeries == 400)
        #expect(report.storedSamples == 8000)
        try reader.expectWindowsEqualSamples()
    }

    @Test func `only the sequence intervals that changed are written, and they come back`() throws {
        var random = SeededGenerator()
        let store = try StoreFixture()
        let stream = AgentStream(agent: "4f2c", epoch: 0, topic: "metrics.disk")
        let other = AgentStream(agent: "4f2c", epoch: 1, topic: "metrics.disk")
        var sets: [AgentStream: SequenceSet] = [:]
        var writer = try store.writer()
        for round in 0..<100 {
            var head = Head()
            for _ in 0..<Int.random(in: 1...10, using: &random) {
                let (stream, sequence) = (
                    Bool.random(using: &random) ? stream : other, Int64.random(in: 0...300, using: &random)
                )
                if sets[stream, default: SequenceSet()].insert(sequence) { head.count(sequence, of: stream) }
            }
            _ = try writer.commit(head)
            if round % 25 == 0 {
                try writer.close()
                writer = try store.writer()
            }
            #expect(try writer.progress().sequences == sets)
        }
        try writer.close()
    }

    @Test func `the readable views answer a question in one line of SQL`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        var head = Head()
        head.define(SeriesReference(0), labels: .load(host: 1))
        head.append(SeriesReference(0), timestamp: .at(61_000), value: 2)
        head.append(SeriesReference(0), timestamp: .at(62_000), value: 4)
        _ = try writer.commit(head)
        try writer.close()
        let database = try DatabaseQueue(path: store.path)
        let row = try database.read { database in
            try Row.fetchOne(database, sql: "SELECT time, series, mean FROM minutes WHERE metric = 'load'")
        }
        #expect(row?["time"] == "2023-11-14 22:01:00")
        #expect(row?["series"] == #"load{host="1"}"#)
        #expect(row?["mean"] == 3.0)
        let times = try database.read { database in
            try String.fetchAll(database, sql: "SELECT time FROM recent_samples ORDER BY timestamp")
        }
        #expect(times == ["2023-11-14 22:01:01", "2023-11-14 22:01:02"])
        #expect(try database.read { database in try Int.fetchOne(database, sql: "SELECT count(*) FROM hours") } == 1)
    }
}
