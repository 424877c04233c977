import KafkaClient
import KafkaProtocol
import MetricModel
import NIOCore
import PromQL
import RecordBatch
import Synchronization
import TestKit
import Testing

@testable import Subscriber

@Suite struct LiveDecoderTests {
    private let source: TopicPartition

    init() throws {
        source = TopicPartition(topic: try TopicName("metrics.test"), partition: PartitionIndex(0))
    }

    private func batch(_ values: [String?], headers: [RecordHeader] = []) throws -> ConsumedBatch {
        var builder = RecordBatchBuilder()
        for value in values {
            builder.append(
                timestamp: 1_700_000_000_000, key: nil, value: value.map { ByteBuffer(string: $0) }, headers: headers)
        }
        let end = Offset(Int64(values.count))
        return ConsumedBatch(
            topicPartition: source, batches: [try builder.finish()], firstOffset: 0, nextOffset: end, highWatermark: end
        )
    }

    /// What a decoder shows of a batch, a line each, and what it rejects.
    private func show(_ decoder: inout LiveDecoder, _ batch: ConsumedBatch) -> (shown: [String], rejected: [String]) {
        var shown: [String] = []
        var rejected: [String] = []
        decoder.decode(batch, rejected: { rejected.append($0) }) {
            shown.append(
                "\(String(decoding: $0.series, as: UTF8.self)) \(TextFormat.text($0.value)) \($0.timestamp.milliseconds)"
            )
        }
        return (shown, rejected)
    }

    @Test func `samples of selected series are shown in order, however their labels are ordered`() throws {
        var decoder = LiveDecoder(
            selectors: [try VectorSelector(parsing: #"up{job=~"a|b"}"#), try VectorSelector(parsing: "load")],
            describe: \.description)
        let shown = show(
            &decoder,
            try batch([
                "up{job=\"a\",instance=\"x\"} 1\nup{job=\"c\"} 2\nload 0.5 1700000000001\n",
                "up{instance=\"x\",job=\"a\"} 3\nloads 4\nload NaN",
            ]))
        #expect(
            shown.shown == [
                #"up{instance="x",job="a"} 1 1700000000000"#, "load 0.5 1700000000001",
                #"up{instance="x",job="a"} 3 1700000000000"#, "load NaN 1700000000000",
            ])
        #expect(shown.rejected.isEmpty)
    }

    @Test func `without selectors all samples are shown, in the format of the record`() throws {
        var decoder = LiveDecoder(selectors: [], describe: \.description)
        let type = RecordHeader(
            key: "content-type", value: ByteBuffer(string: "application/vnd.influxdb.line-protocol"))
        let shown = show(&decoder, try batch(["room,name=lab temp=21.5 1700000000000000000"], headers: [type]))
        #expect(shown.shown == [#"room_temp{name="lab"} 21.5 1700000000000"#])
    }

    @Test func `what is no sample is named with its place, and the others are shown`() throws {
        var decoder = LiveDecoder(selectors: [], describe: \.description)
        let shown = show(&decoder, try batch(["good 1\nbad\ngood 2", nil, "good 3 -5"]))
        #expect(shown.shown.count == 2)
        #expect(
            shown.rejected == [
                "metrics.test-0 offset 0 line 2: no value after the series",
                "metrics.test-0 offset 1: the record has no value",
                "metrics.test-0 offset 2 line 1: timestamp -5 is no time between the years 1970 and 9999",
            ])
    }

    @Test func `a series is matched and described once, and what is remembered is bounded`() throws {
        let described = Counter()
        var decoder = LiveDecoder(selectors: [try VectorSelector(parsing: "shown")], formats: [], capacity: 100) {
            described.add()
            return $0.description
        }
        for round in 0..<50 {
            let attack = (0..<60).map { "hidden{n=\"\(round)-\($0)\"} 1" }.joined(separator: "\n")
            let shown = show(&decoder, try batch(["shown 1\nshown 2\n" + attack]))
            #expect(shown.shown.count == 2)
            #expect(decoder.seriesCount <= 100)
        }
        #expect(described.value < 50, "it was described \(described.value) times for 100 samples")
    }
}

/// Counts calls of a closure that may be called from anywhere.
private final class Counter: Sendable {
    private let count = Mutex(0)
    func add() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
}
