import KafkaClient
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch
import SeriesStore
import TestKit
import Testing

@testable import Subscriber

/// The mode `sequence`: one record, one transaction.
@Suite(.timeLimit(.minutes(2))) struct SequenceModeTests {
    private let source = SourcePartition(topic: "metrics.up", partition: 0)

    private let directory: TemporaryDirectory
    private let writer: SeriesWriter

    init() throws {
        directory = try TemporaryDirectory("weir-sequence")
        writer = try SeriesWriter(path: directory.appending("weir.sqlite"), logger: Logger(label: "test"))
    }

    private func intake() async throws -> Intake {
        let intake = Intake(
            formats: [], policy: CommitPolicy(), mode: .sequence, observer: nil, logger: Logger(label: "test"))
        let partition = TopicPartition(topic: try TopicName("metrics.up"), partition: PartitionIndex(0))
        await intake.assign([partition: Intake.Start(stored: nil, offset: 0)], progress: StoredProgress())
        return intake
    }

    private func batch(of count: Int, from offset: Offset = 0, next: Offset? = nil) throws -> ConsumedBatch {
        var builder = RecordBatchBuilder()
        for number in 0..<count {
            builder.append(
                timestamp: 1_700_000_000_000, key: ByteBuffer(string: "lab"),
                value: ByteBuffer(string: "up \(number) \(1_700_000_000_000 + number)"),
                headers: agentHeaders(number))
        }
        var batch = try builder.finish()
        batch.assign(baseOffset: offset, leaderEpoch: 0)
        let end = next ?? Offset(offset.rawValue + Int64(count))
        return ConsumedBatch(
            topicPartition: TopicPartition(topic: try TopicName("metrics.up"), partition: PartitionIndex(0)),
            batches: [batch], firstOffset: offset, nextOffset: end, highWatermark: end)
    }

    @Test func `each record comes with its own offset and the sequences up to its own`() async throws {
        let intake = try await intake()
        _ = try await intake.receive(try batch(of: 3), of: 0)
        for number in 0..<3 {
            let harvest = try #require(await intake.next(notBefore: .now + .seconds(60)))
            #expect(harvest.head.sampleCount == 1)
            _ = try writer.commit(harvest.head)
            await intake.didCommit(harvest.head)
            let progress = try writer.progress()
            #expect(progress.offsets == [source: Int64(number) + 1])
            #expect(progress.sequences.values.map(\.intervals) == [[0...Int64(number)]], "not those that follow")
        }
        #expect(await intake.lag == ["metrics.up": 0])
        try writer.close()
    }

    @Test func `offsets without records are committed too, and the next batch waits for the last record`() async throws
    {
        let intake = try await intake()
        _ = try await intake.receive(try batch(of: 1, next: 5), of: 0)
        let second = Task { _ = try await intake.receive(try batch(of: 1, from: 5), of: 0) }
        var offsets: [Int64?] = []
        for _ in 0..<3 {
            let harvest = try #require(await intake.next(notBefore: .now))
            offsets.append(harvest.head.nextPositions[source]?.nextOffset)
            await intake.didCommit(harvest.head)
        }
        try await second.value
        #expect(offsets == [1, 5, 6])
    }

    @Test func `records are committed one by one, each once, whatever is cut short`() async throws {
        let pipeline = try await PipelineFixture()
        var expected: [String] = []
        for number in 0..<60 {
            let timestamp = 1_700_000_000_000 + number
            try await pipeline.send("up \(number) \(timestamp)", to: "metrics.up", headers: agentHeaders(number))
            expected.append("up \(Double(number))@\(timestamp)")
        }
        var subscriber = try pipeline.subscriber(mode: .sequence)
        try await eventually("some are stored") { subscriber.service.statistics.samplesStored >= 5 }
        await subscriber.cancel()
        let before = subscriber.service.statistics
        #expect(before.commits == before.recordsRead, "a transaction each")
        subscriber = try pipeline.subscriber(mode: .sequence)
        try await eventually("all are stored") { try pipeline.stored().count == expected.count }
        try await eventually("the lag is gone") { subscriber.service.statistics.lag == 0 }
        try await subscriber.stop()
        #expect(try pipeline.stored() == expected)
        #expect(subscriber.service.statistics.duplicateSamples == 0)
        #expect(subscriber.service.statistics.commits == subscriber.service.statistics.recordsRead)
        try await pipeline.stop()
    }
}
