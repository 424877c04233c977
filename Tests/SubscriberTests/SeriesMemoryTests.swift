import KafkaClient
import KafkaProtocol
import Logging
import MetricModel
import NIOCore
import RecordBatch
import SeriesStore
import TestKit
import Testing

@testable import Subscriber

/// What is remembered of series stays bounded, whatever is sent.
@Suite(.timeLimit(.minutes(2))) struct SeriesMemoryTests {
    private let directory: TemporaryDirectory
    private let partition: TopicPartition

    init() throws {
        directory = try TemporaryDirectory("weir-memory")
        partition = TopicPartition(topic: try TopicName("metrics.attack"), partition: PartitionIndex(0))
    }

    private func batch(_ lines: [String], at offset: Int64 = 0) throws -> ConsumedBatch {
        var builder = RecordBatchBuilder()
        builder.append(
            timestamp: Timestamp.now().milliseconds, key: ByteBuffer(string: "attacker"),
            value: ByteBuffer(string: lines.joined(separator: "\n")))
        var batch = try builder.finish()
        batch.assign(baseOffset: Offset(offset), leaderEpoch: 0)
        return ConsumedBatch(
            topicPartition: partition, batches: [batch], firstOffset: Offset(offset),
            nextOffset: Offset(offset + 1),
            highWatermark: Offset(offset + 1))
    }

    @Test func `series that are forgotten are gone from the table, and the others stay`() {
        var table = SeriesTable()
        for number in 0..<1000 as Range<UInt32> {
            var name = "m{n=\"\(number)\"}"
            name.withUTF8 { table.insert(UnsafeRawBufferPointer($0), SeriesReference(rawValue: number)) }
        }
        table.remove(Set((0..<1000).lazy.filter { $0 % 3 == 0 }.map { SeriesReference(rawValue: $0) }))
        #expect(table.count == 666)
        for number in 0..<1000 as Range<UInt32> {
            var name = "m{n=\"\(number)\"}"
            let found = name.withUTF8 { table.find(UnsafeRawBufferPointer($0)) }
            #expect(found?.rawValue == (number % 3 == 0 ? nil : number))
        }
    }

    @Test
    func `one series in very many spellings is one series, and only some spellings are remembered`()
        throws
    {
        var limits = DecodingLimits()
        limits.otherSpellings = 100
        var decoder = RecordDecoder(limits: limits)
        var harvest = Harvest()
        let names = (0..<6).map { "l\($0)=\"x\"" }
        let spellings = permutations(names).map { "m{\($0.joined(separator: ","))} 1" }
        #expect(spellings.count == 720)
        for _ in 0..<2 {
            for encoded in try batch(spellings).batches {
                decoder.decode(encoded, from: 0, of: partition, into: &harvest)
            }
        }
        #expect(harvest.head.sampleCount == 1440)
        #expect(harvest.head.newSeries.count == 1)
        #expect(decoder.spellingCount == 101)
        #expect(decoder.respelledSamples == 2 * (719 - 100))
    }

    private func permutations(_ items: [String]) -> [[String]] {
        if items.count < 2 { return [items] }
        return items.indices.flatMap { index in
            var rest = items
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }

    @Test(arguments: [ProcessingMode.batch, .sequence])
    func `series that a limit refuses do not fill the memory, and those that are stored go on`(
        mode: ProcessingMode
    )
        async throws
    {
        var configuration = SeriesWriter.Configuration()
        configuration.limits.total = 50
        configuration.retention = RetentionPolicy.forever
        let path = directory.appending("weir.sqlite")
        let writer = try SeriesWriter(
            path: path, configuration: configuration, logger: Logger(label: "test"))
        var limits = DecodingLimits()
        limits.unstoredSeries = 1000
        let intake = Intake(
            formats: [], policy: CommitPolicy(), mode: mode, observer: nil, limits: limits,
            logger: Logger(label: "test"))
        await intake.assign(
            [partition: Intake.Start(stored: nil, offset: 0)], progress: StoredProgress())
        let now = Timestamp.now().milliseconds
        var (most, highest) = (0, UInt32(0))
        for round in 0..<40 as Range<Int64> {
            let good = (0..<50).map { "good{n=\"\($0)\"} \(round) \(now + round)" }
            let attack = (0..<400).map { "bad{n=\"\(round)-\($0)\"} 1 \(now)" }
            _ = try await intake.receive(try batch(good + attack, at: round), of: 0)
            while await intake.isWaitingForCommit(at: .now) {
                let harvest = try #require(await intake.next(notBefore: .now))
                highest = max(highest, harvest.head.newSeries.map(\.reference.rawValue).max() ?? 0)
                let report = try writer.commit(harvest.head)
                await intake.didCommit(harvest.head, unstored: report.unstoredSeries)
            }
            most = max(most, await intake.memory.spellings)
        }
        #expect(
            most <= 50 + 1000 + 2 * 400, "of 16,000 that were sent, \(most) were remembered at once")
        #expect(highest <= 50 + 1000 + 2 * 400, "references are given out again")
        #expect(await intake.memory.forgotten > 10_000)
        try writer.close()
        let reader = try SeriesReader(path: path)
        let series = try reader.series(matching: [])
        #expect(series.count == 50)
        let samples = try reader.samples(
            of: series.map(\.id), from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: .max))
        #expect(samples.values.allSatisfy { $0.map(\.value) == (0..<40).map(Double.init) })
        #expect(series.allSatisfy { $0.labels.metricName == "good" })
        #expect(try reader.overflow().map(\.samples) == [16_000])
        try reader.close()
    }

    @Test func `series whose samples are all too old do not fill the memory`() async throws {
        var configuration = SeriesWriter.Configuration()
        let hour = Duration.seconds(3600)
        configuration.retention = RetentionPolicy(
            otherwise: try Retention(samples: hour, minutes: hour, hours: hour))
        let writer = try SeriesWriter(
            path: directory.appending("weir.sqlite"), configuration: configuration,
            logger: Logger(label: "test"))
        var limits = DecodingLimits()
        limits.unstoredSeries = 500
        let intake = Intake(
            formats: [], policy: CommitPolicy(), mode: .batch, observer: nil, limits: limits,
            logger: Logger(label: "test"))
        await intake.assign(
            [partition: Intake.Start(stored: nil, offset: 0)], progress: StoredProgress())
        for round in 0..<20 as Range<Int64> {
            let old = (0..<200).map { "old{n=\"\(round)-\($0)\"} 1 1000" }
            _ = try await intake.receive(try batch(old, at: round), of: 0)
            let harvest = try #require(await intake.next(notBefore: .now))
            let report = try writer.commit(harvest.head)
            #expect(report.expiredSamples == 200)
            await intake.didCommit(harvest.head, unstored: report.unstoredSeries)
            #expect(await intake.memory.spellings <= 500 + 2 * 200)
        }
        try writer.close()
    }
}
