import Instruments
import KafkaClient
import KafkaProtocol
import Logging
import MetricModel
import MetricRegistry
import NIOCore
import RecordBatch
import SeriesStore
import TestKit
import Testing

@testable import Subscriber

/// What the intake does when another process was first.
@Suite(.timeLimit(.minutes(2))) struct RestartTests {
    private let source = SourcePartition(topic: "metrics.up", partition: 0)
    private let stream = AgentStream(agent: "0b8f", epoch: 0, topic: "metrics.up")
    private let directory: TemporaryDirectory
    private let writer: SeriesWriter

    init() throws {
        directory = try TemporaryDirectory("weir-restart")
        writer = try SeriesWriter(path: directory.appending("weir.sqlite"), logger: Logger(label: "test"))
    }

    private func partition() throws -> TopicPartition {
        TopicPartition(topic: try TopicName("metrics.up"), partition: PartitionIndex(0))
    }

    /// Records of an agent, each with its offset as its sequence and value.
    private func batch(_ offsets: Range<Int64>) throws -> ConsumedBatch {
        var builder = RecordBatchBuilder()
        for offset in offsets {
            builder.append(
                timestamp: 1_700_000_000_000, key: ByteBuffer(string: "lab"),
                value: ByteBuffer(string: "up{n=\"\(offset % 3)\"} \(offset) \(1_700_000_000_000 + offset)"),
                headers: agentHeaders(Int(offset)))
        }
        var batch = try builder.finish()
        batch.assign(baseOffset: Offset(offsets.lowerBound), leaderEpoch: 0)
        return ConsumedBatch(
            topicPartition: try partition(), batches: [batch], firstOffset: Offset(offsets.lowerBound),
            nextOffset: Offset(offsets.upperBound), highWatermark: Offset(offsets.upperBound))
    }

    /// What another process stores: the same records.
    private func storeElsewhere(_ offsets: Range<Int64>) throws {
        let other = try SeriesWriter(path: writer.path, logger: Logger(label: "test"))
        var decoder = RecordDecoder()
        var harvest = Harvest()
        for encoded in try batch(offsets).batches {
            decoder.decode(
                encoded, from: Offset(offsets.lowerBound), of: try partition(), at: .now(), into: &harvest)
        }
        harvest.head.advance(
            source, from: try other.progress().positions[source], to: SourcePosition(nextOffset: offsets.upperBound))
        _ = try other.commit(harvest.head)
        try other.close()
    }

    @Test(arguments: [ProcessingMode.batch, .sequence])
    func `what others stored meanwhile is dropped, and the rest read again counts once`(mode: ProcessingMode)
        async throws
    {
        let intake = Intake(
            formats: [], policy: CommitPolicy(), mode: mode, observer: nil, logger: Logger(label: "test"))
        let partition = try partition()
        await intake.assign([partition: Intake.Start(stored: nil, offset: 0)], progress: StoredProgress())
        _ = try await intake.receive(try batch(0..<4), of: 0)
        try storeElsewhere(0..<6)

        let refused = try #require(await intake.next(notBefore: .now))
        #expect(throws: StoreError.self) { try writer.commit(refused.head) }
        await intake.beginRestart(dropping: refused.head, forgettingSeries: false)
        let restarts = await intake.restarts(from: try writer.progress())
        #expect(restarts.mapValues(\.offset) == [partition: 6])
        // A batch that was fetched before is on its way, and waits.
        let late = Task { [batch = try batch(4..<8)] in try await intake.receive(batch, of: 0) }
        await intake.endRestart(restarts)
        let reception = try await late.value
        #expect(reception.seek == 6 && reception.reading == 1)

        _ = try await intake.receive(try batch(6..<9), of: reception.reading)
        var stored = 0
        while await intake.isWaitingForCommit(at: .now), let harvest = await intake.next(notBefore: .now) {
            stored += try writer.commit(harvest.head).storedSamples
            await intake.didCommit(harvest.head)
        }
        #expect(stored == 3)
        #expect(await intake.flush())
        #expect(try writer.progress().offsets == [source: 9])
        #expect(try writer.progress().sequences == [stream: SequenceSet([0...8])])
        #expect(await intake.committedOffsets == [partition: 9])
        try writer.close()
    }

    @Test func `what was missed is committed together when its end is reached`() async throws {
        let intake = Intake(
            formats: [], policy: CommitPolicy(), mode: .batch, observer: nil, logger: Logger(label: "test"))
        await intake.assign([try partition(): Intake.Start(stored: nil, offset: 0, end: 8)], progress: StoredProgress())
        _ = try await intake.receive(try batch(0..<4), of: 0)
        #expect(!(await intake.isWaitingForCommit(at: .now)))
        let taken = Task { await intake.next(notBefore: .now) }
        _ = try await intake.receive(try batch(4..<8), of: 0)
        #expect(try #require(await taken.value).head.sampleCount == 8)
        _ = try await intake.receive(try batch(8..<9), of: 0)
        #expect(await intake.isWaitingForCommit(at: .now), "from then on each commit takes what there is")
        try writer.close()
    }

    /// Loose lines of a direct link.
    private func directBatch(_ numbers: Range<Int>) throws -> ConsumedBatch {
        var builder = RecordBatchBuilder()
        for number in numbers {
            builder.append(
                timestamp: 1_700_000_000_000, key: ByteBuffer(string: "lab"),
                value: ByteBuffer(string: "direct \(number) \(1_700_000_000_000 + number)"), headers: [])
        }
        return ConsumedBatch(
            topicPartition: TopicPartition(topic: try TopicName("metrics.direct"), partition: PartitionIndex(0)),
            batches: [try builder.finish()], firstOffset: 0, nextOffset: Offset(Int64(numbers.count)),
            highWatermark: Offset(Int64(numbers.count)))
    }

    @Test(arguments: [ProcessingMode.batch, .sequence])
    func `what was dropped of direct links is counted, for nobody can read it again`(mode: ProcessingMode) async throws
    {
        let intake = Intake(
            formats: [], policy: CommitPolicy(), mode: mode, observer: nil, logger: Logger(label: "test"))
        let partition = try partition()
        await intake.assign([partition: Intake.Start(stored: nil, offset: 0)], progress: StoredProgress())
        try await intake.receive(direct: try directBatch(0..<3))
        for committed in 0..<(mode == .sequence ? 3 : 0) {
            #expect(await intake.droppedDirectSamples == 0, "\(committed)")
            let harvest = try #require(await intake.next(notBefore: .now))
            #expect(try writer.commit(harvest.head).storedSamples == 1)
            await intake.didCommit(harvest.head)
        }
        _ = try await intake.receive(try batch(0..<4), of: 0)
        try storeElsewhere(0..<6)
        let refused = try #require(await intake.next(notBefore: .now))
        #expect(throws: StoreError.self) { try writer.commit(refused.head) }
        // More comes while that is tried.
        if mode == .batch { try await intake.receive(direct: try directBatch(3..<5)) }
        await intake.beginRestart(dropping: refused.head, forgettingSeries: false)
        await intake.endRestart(await intake.restarts(from: try writer.progress()))
        let dropped = mode == .batch ? 5 : 0
        #expect(await intake.droppedDirectSamples == dropped, "each record of its own transaction was stored")
        try await intake.receive(direct: try directBatch(5..<7))
        while await intake.isWaitingForCommit(at: .now), let harvest = await intake.next(notBefore: .now) {
            _ = try writer.commit(harvest.head)
            await intake.didCommit(harvest.head)
        }
        let reader = try SeriesReader(path: writer.path)
        let series = try #require(try reader.series(matching: []).first { $0.labels.metricName == "direct" })
        let stored = try reader.samples(
            of: [series.id], from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: .max))
        #expect(stored[series.id]?.count == (mode == .batch ? 2 : 5))
        #expect(await intake.droppedDirectSamples == dropped, "what came later was stored")
        try reader.close()

        let registry = MetricRegistry(describing: DirectMetrics.all)
        var report = MetricReport(to: registry)
        report.report { report in DirectIntakeStatistics().report(to: &report, dropped: dropped) }
        let metric = registry.collect().first { $0.name == "weir_subscriber_direct_dropped_samples_total" }
        #expect(metric?.readings.map(\.value) == [Double(dropped)])
        try writer.close()
    }

    @Test func `a partition that is gone or came anew is left as it is`() async throws {
        let intake = Intake(
            formats: [], policy: CommitPolicy(), mode: .batch, observer: nil, logger: Logger(label: "test"))
        let partition = try partition()
        await intake.assign([partition: Intake.Start(stored: nil, offset: 0)], progress: StoredProgress())
        await intake.beginRestart(dropping: Head(), forgettingSeries: false)
        let restarts = await intake.restarts(from: try writer.progress())
        await intake.unassign([partition])
        await intake.assign(
            [partition: Intake.Start(stored: SourcePosition(nextOffset: 5), offset: 5)], progress: StoredProgress())
        await intake.endRestart(restarts)
        #expect(await intake.committedOffsets == [partition: 5])
        await intake.unassign([partition])
        let reception = try await intake.receive(try batch(0..<2), of: 0)
        #expect(reception.seek == nil, "nobody reads it here")
        #expect(!(await intake.isWaitingForCommit(at: .now)))
        try writer.close()
    }

    @Test func `after a start behind the stored offset the start holds, as long as nobody else stores`() async throws {
        let intake = Intake(
            formats: [], policy: CommitPolicy(), mode: .batch, observer: nil, logger: Logger(label: "test"))
        let partition = try partition()
        try storeElsewhere(0..<6)
        let stored = try writer.progress().positions[source]
        // The topic was cut off, as by retention: offsets 6 to 19 are missing.
        await intake.assign([partition: Intake.Start(stored: stored, offset: 20, end: 30)], progress: StoredProgress())
        await intake.beginRestart(dropping: Head(), forgettingSeries: false)
        let restarts = await intake.restarts(from: try writer.progress())
        #expect(restarts.mapValues(\.offset) == [partition: 20])
        await intake.endRestart(restarts)
        _ = try await intake.receive(try batch(20..<22), of: await intake.reading)
        let harvest = try #require(await intake.next(notBefore: .now))
        #expect(try writer.commit(harvest.head).storedSamples == 2)
        #expect(try writer.progress().offsets == [source: 22])
        try writer.close()
    }
}
