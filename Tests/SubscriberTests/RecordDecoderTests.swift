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

@Suite struct RecordDecoderTests {
    private let source: TopicPartition
    private let directory: TemporaryDirectory

    init() throws {
        source = TopicPartition(topic: try TopicName("metrics.test"), partition: PartitionIndex(0))
        directory = try TemporaryDirectory("weir-decoder")
    }

    private func batch(_ records: [(value: String?, headers: [RecordHeader])], baseOffset: Offset = 0) throws
        -> EncodedBatch
    {
        var builder = RecordBatchBuilder()
        for record in records {
            builder.append(
                timestamp: 1_700_000_000_000, key: ByteBuffer(string: "lab"),
                value: record.value.map { ByteBuffer(string: $0) }, headers: record.headers)
        }
        var batch = try builder.finish()
        batch.assign(baseOffset: baseOffset, leaderEpoch: 0)
        return batch
    }

    private func agentHeaders(_ sequence: Int, agent: String = "f3a0", epoch: String = "2") -> [RecordHeader] {
        [("weir-agent", agent), ("weir-epoch", epoch), ("weir-sequence", "\(sequence)")].map {
            RecordHeader(key: $0.0, value: ByteBuffer(string: $0.1))
        }
    }

    /// What a harvest holds once it is stored: `name{labels} value@milliseconds`, sorted.
    private func stored(_ harvest: Harvest) throws -> [String] {
        let path = directory.appending("weir.sqlite")
        let writer = try SeriesWriter(path: path, logger: Logger(label: "test"))
        _ = try writer.commit(harvest.head)
        try writer.close()
        let reader = try SeriesReader(path: path)
        let series = try reader.series(matching: [])
        let samples = try reader.samples(
            of: series.map(\.id), from: Timestamp(milliseconds: .min), to: Timestamp(milliseconds: .max))
        return series.flatMap { series in
            (samples[series.id] ?? []).map { "\(series.labels) \($0.value)@\($0.timestamp.milliseconds)" }
        }
    }

    @Test func `lines become samples, with the record's time where they have none`() throws {
        var decoder = RecordDecoder(sequences: [:])
        var harvest = Harvest()
        let text = """
            # TYPE node_load1 gauge
            node_load1 0.5 1700000000250

            up{b="2",a="1"} 1
            up{a="1",b="2"} 3 1700000001000

            """
        decoder.decode(try batch([(text, [])]), from: 0, of: source, into: &harvest)
        #expect(harvest.rejections.isEmpty)
        #expect(
            try stored(harvest) == [
                "node_load1 0.5@1700000000250",
                #"up{a="1",b="2"} 1.0@1700000000000"#,
                #"up{a="1",b="2"} 3.0@1700000001000"#,
            ])
    }

    @Test func `an agent's record counts once, whatever offset it comes back at`() throws {
        let stream = AgentStream(agent: "f3a0", epoch: 2, topic: "metrics.test")
        var decoder = RecordDecoder(sequences: [stream: SequenceSet([0...4])])
        var harvest = Harvest()
        let records = [3, 5, 6, 5].map { (value: "up \($0)", headers: agentHeaders($0)) }
        decoder.decode(try batch(records), from: 0, of: source, into: &harvest)
        decoder.decode(
            try batch([("up 6", agentHeaders(6)), ("up 0", agentHeaders(0, epoch: "3"))], baseOffset: 70), from: 70,
            of: source, into: &harvest)
        #expect(harvest.counts.records == 6)
        #expect(harvest.counts.duplicateRecords == 3)
        #expect(harvest.head.sampleCount == 3)
        decoder.forget(allBut: [stream: SequenceSet([0...5])])
        var again = Harvest()
        decoder.decode(try batch(records), from: 0, of: source, into: &again)
        #expect(again.head.sampleCount == 1, "what was not committed counts when it is read again")
    }

    @Test func `headers that are no agent's leave a record to its offset`() throws {
        var decoder = RecordDecoder(sequences: [:])
        var harvest = Harvest()
        for epoch in ["", "-1", "x", "99999999999999999999", "1 "] {
            decoder.decode(
                try batch([("up 1", agentHeaders(1, epoch: epoch))]), from: 0, of: source, into: &harvest)
        }
        decoder.decode(try batch([("up 1", Array(agentHeaders(1).dropLast()))]), from: 0, of: source, into: &harvest)
        #expect(harvest.counts.duplicateRecords == 0)
        #expect(harvest.head.sampleCount == 6)
    }

    @Test func `records before the asked offset are passed over`() throws {
        var decoder = RecordDecoder(sequences: [:])
        var harvest = Harvest()
        decoder.decode(
            try batch([("a 1", []), ("b 1", []), ("c 1", [])], baseOffset: 10), from: 12, of: source, into: &harvest)
        #expect(harvest.head.sampleCount == 1)
        #expect(harvest.counts.records == 1)
    }

    @Test func `a bad line is rejected with its origin, and the others go on`() throws {
        var decoder = RecordDecoder(sequences: [:])
        var harvest = Harvest()
        let text = "good 1\nno sample at all here\n\nbad{x=1} 2\ngood 2 1700000005000\ntimes 1 -5\nhalf"
        decoder.decode(
            try batch([(text, agentHeaders(0))], baseOffset: 41), from: 41, of: source, into: &harvest)
        #expect(harvest.head.sampleCount == 2)
        #expect(harvest.counts.rejectedLines == 4)
        #expect(harvest.rejections.map(\.line) == [2, 4, 6, 7])
        #expect(
            harvest.rejections.map { String(buffer: $0.value) } == [
                "no sample at all here", "bad{x=1} 2", "times 1 -5", "half",
            ])
        let message = harvest.rejections[1].message(to: try TopicName("metrics.rejected"))
        let headers = Dictionary(
            uniqueKeysWithValues: message.headers.map { ($0.key, $0.value.map { String(buffer: $0) } ?? "") })
        #expect(headers["weir-topic"] == "metrics.test")
        #expect(headers["weir-partition"] == "0")
        #expect(headers["weir-offset"] == "41")
        #expect(headers["weir-line"] == "4")
        #expect(headers["weir-agent"] == "f3a0")
        #expect(headers["weir-reason"]?.contains("'x'") == true)
        #expect(message.key.map { String(buffer: $0) } == "lab")
    }

    @Test func `a record without a value, and one that is no text, are rejected`() throws {
        var decoder = RecordDecoder(sequences: [:])
        var harvest = Harvest()
        let garbage = String(repeating: "\u{1}\n", count: 5000)
        decoder.decode(
            try batch([(nil, []), ("", []), (garbage, []), ("# only a comment\n", [])]), from: 0, of: source,
            into: &harvest)
        #expect(harvest.counts.rejectedLines == 5002)
        #expect(harvest.rejections.count == 2 + RejectedLines.maximumSingleLines + 1)
        #expect(harvest.rejections.last?.reason.contains("4900 more lines") == true)
        #expect(harvest.head.sampleCount == 0)
    }

    @Test func `a rejected line that is long is cut, and says how long it was`() throws {
        var decoder = RecordDecoder(sequences: [:])
        var harvest = Harvest()
        decoder.decode(
            try batch([(String(repeating: "z", count: 200_000), [])]), from: 0, of: source, into: &harvest)
        let rejection = try #require(harvest.rejections.first)
        #expect(rejection.value.readableBytes == Rejection.maximumValueBytes)
        let message = rejection.message(to: try TopicName("metrics.rejected"))
        #expect(message.headers.contains(RecordHeader(key: "weir-bytes", value: ByteBuffer(string: "200000"))))
    }
}
