import KafkaClient
import KafkaProtocol
import MetricModel
import NIOCore
import RecordBatch
import SeriesStore
import Subscriber
import TestKit
import Testing

/// Each kind of bad input among good ones, through a broker and a subscriber: it is named, it is counted by its source, and
/// nothing else is disturbed.
@Suite(.timeLimit(.minutes(2))) struct BadInputTests {
    struct BadRecord: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// Nil for a record without a value.
        var value: String?
        var contentType: String?
        /// Part of each reason that is given, one for each rejection.
        var reasons: [String] = []
        /// What is stored of it, beside the good samples; NOW stands for the record's time.
        var stored: [String] = []
        var futureSamples: Int64 = 0
        var pastSamples: Int64 = 0
    }

    private static let records = [
        BadRecord(testDescription: "no value", reasons: ["no value"]),
        BadRecord(testDescription: "an empty value", value: "", reasons: ["no value"]),
        BadRecord(
            testDescription: "a record with no sample", value: "# HELP up is it\n\n# nothing else\n"),
        BadRecord(
            testDescription: "half a line", value: "a 1\nb{c=\"d", reasons: ["a quote is not closed"],
            stored: ["a 1.0@NOW"]),
        BadRecord(
            testDescription: "half a line, cut before the value", value: "b{c=\"d\"}\na 1",
            reasons: ["no value after the series"], stored: ["a 1.0@NOW"]),
        BadRecord(
            testDescription: "a number that is none", value: "a 1\nb 1,5\n",
            reasons: ["'1,5' is no number"],
            stored: ["a 1.0@NOW"]),
        BadRecord(
            testDescription: "a duplicate label", value: "a{x=\"1\",y=\"2\",x=\"3\"} 1\nb 2",
            reasons: ["label 'x' is given twice"], stored: ["b 2.0@NOW"]),
        BadRecord(
            testDescription: "a label of 1 MB",
            value: "a{x=\"\(String(repeating: "y", count: 1_000_000))\"} 1\nb 2",
            reasons: ["more than maximumLineBytes"], stored: ["b 2.0@NOW"]),
        BadRecord(
            testDescription: "a timestamp of 1970", value: "a 1 1000\nb 2",
            stored: ["a 1.0@1000", "b 2.0@NOW"],
            pastSamples: 1),
        BadRecord(
            testDescription: "a timestamp before 1970, and one after 9999",
            value: "a 1 -1\na 1 999999999999999\nb 2",
            reasons: ["no time between", "no time between"], stored: ["b 2.0@NOW"]),
        BadRecord(
            testDescription: "a timestamp of 2100", value: "a 1 4102444800000\nb 2",
            stored: ["a 1.0@4102444800000", "b 2.0@NOW"], futureSamples: 1),
        BadRecord(
            testDescription: "NaN and infinities", value: "a NaN\nb +Inf\nc -Inf\n",
            stored: ["a nan@NOW", "b inf@NOW", "c -inf@NOW"]),
        BadRecord(
            testDescription: "an unknown content type", value: "a 1", contentType: "image/png",
            reasons: ["unknown content type 'image/png'"]),
        BadRecord(
            testDescription: "bytes that are no text", value: "\u{0}\u{1}\u{2} 1 x\n", reasons: [""]),
    ]

    @Test(arguments: records)
    func `it is named and counted, and nothing else is disturbed`(_ bad: BadRecord) async throws {
        let pipeline = try await PipelineFixture()
        let subscriber = try pipeline.subscriber()
        let now = Timestamp.now().milliseconds
        try await pipeline.send("good 1 \(now)", to: "metrics.t", key: "honest")
        let headers =
            bad.contentType.map { [RecordHeader(key: "content-type", value: ByteBuffer(string: $0))] }
            ?? []
        _ = try await pipeline.producer.send(
            ProducerMessage(
                topic: try TopicName("metrics.t"), key: ByteBuffer(string: "culprit"),
                value: bad.value.map { ByteBuffer(string: $0) }, headers: headers, timestamp: now))
        try await pipeline.send("good 2 \(now + 1)", to: "metrics.t", key: "honest")
        try await eventually("all is stored") { subscriber.service.statistics.recordsRead == 3 }
        let sources = subscriber.service.statistics.sources
        #expect(sources["culprit"]?.rejectedLines ?? 0 == Int64(bad.reasons.count))
        #expect(sources["culprit"]?.futureSamples ?? 0 == bad.futureSamples)
        #expect(sources["culprit"]?.pastSamples ?? 0 == bad.pastSamples)
        #expect(sources["honest"] == nil)
        let expected =
            bad.stored.map { $0.replacing("NOW", with: "\(now)") } + [
                "good 1.0@\(now)", "good 2.0@\(now + 1)",
            ]
        #expect(try pipeline.stored().sorted() == expected.sorted())
        if !bad.reasons.isEmpty {
            let reasons = try await rejections(pipeline, bad.reasons.count)
            for (reason, part) in zip(reasons, bad.reasons) {
                #expect(part.isEmpty || reason.contains(part))
            }
        }
        try await subscriber.stop()
        try await pipeline.stop()
    }

    /// The reasons in the topic of what was rejected.
    private func rejections(_ pipeline: PipelineFixture, _ count: Int) async throws -> [String] {
        let partition = TopicPartition(
            topic: try TopicName("metrics.rejected"), partition: PartitionIndex(0))
        var reasons: [String] = []
        for try await batch in PartitionConsumer(cluster: pipeline.cluster, starts: [partition: 0]) {
            for record in try batch.records {
                reasons.append(
                    record.headers.first { $0.key == "weir-reason" }?.value.map { String(buffer: $0) } ?? "")
            }
            if reasons.count >= count { break }
        }
        return reasons
    }

    @Test(arguments: [CompressionCodec.gzip, .zstd, .lz4, .snappy])
    func `a compressed bomb is rejected with its place, and what follows is read`(
        codec: CompressionCodec
    ) async throws {
        let pipeline = try await PipelineFixture()
        let subscriber = try pipeline.subscriber()
        let topic = try TopicName("metrics.t")
        // 200 MB of one letter are some hundred kilobytes at most.
        var builder = RecordBatchBuilder(compression: codec)
        let bomb = ByteBuffer(repeating: UInt8(ascii: "x"), count: 50 << 20)
        for _ in 0..<4 {
            builder.append(timestamp: Timestamp.now().milliseconds, key: nil, value: bomb)
        }
        let batch = try builder.finish()
        try await Admin(cluster: pipeline.cluster).createTopic(
            NewTopic(name: topic, settings: ["max.message.bytes": "\(64 << 20)"]))
        let target = TopicPartition(topic: topic, partition: PartitionIndex(0))
        _ = try await pipeline.producer.send(batch, to: target)
        try await pipeline.send("good 1", to: "metrics.t")
        try await eventually("the good one is stored", within: .seconds(60)) {
            subscriber.service.statistics.samplesStored == 1
        }
        #expect(subscriber.service.statistics.rejectedLines > 0)
        try await subscriber.stop()
        try await pipeline.stop()
    }

    @Test
    func
        `a topic that is deleted while it is read disturbs no other, and is read anew when it is back`()
        async throws
    {
        let pipeline = try await PipelineFixture()
        let subscriber = try pipeline.subscriber()
        let admin = Admin(cluster: pipeline.cluster)
        try await pipeline.send("a 1 1700000000000", to: "metrics.a")
        try await pipeline.send("b 1 1700000000000", to: "metrics.b")
        try await eventually("both are read") { subscriber.service.statistics.samplesStored == 2 }
        try await admin.deleteTopic(try TopicName("metrics.a"))
        try await pipeline.send("b 2 1700000001000", to: "metrics.b")
        try await eventually("the other goes on") { subscriber.service.statistics.samplesStored == 3 }
        try await eventually("it is back") {
            do {
                return try await pipeline.send("a 2 1700000002000", to: "metrics.a") == 0
            } catch is KafkaClientError {
                return false
            }
        }
        try await eventually("it is read anew", within: .seconds(60)) {
            try pipeline.stored().contains("a 2.0@1700000002000")
        }
        try await subscriber.stop()
        try await pipeline.stop()
    }

    @Test
    func
        `records that retention took before they were read are told, and reading goes on behind them`()
        async throws
    {
        let pipeline = try await PipelineFixture()
        var subscriber = try pipeline.subscriber()
        for number in 0..<3 {
            try await pipeline.send("a \(number) 170000000000\(number)", to: "metrics.a")
        }
        try await eventually("it is read") { subscriber.service.statistics.samplesStored == 3 }
        try await subscriber.stop()
        for number in 3..<9 {
            try await pipeline.send("a \(number) 170000000000\(number)", to: "metrics.a")
        }
        let partition = TopicPartition(topic: try TopicName("metrics.a"), partition: PartitionIndex(0))
        let deletion = DeleteRecordsRequest(
            topics: [
                .init(name: "metrics.a", partitions: [.init(partitionIndex: 0, offset: 7)])
            ], timeoutMs: 10_000)
        let answer = try await pipeline.cluster.send(deletion, to: .leader(partition))
        #expect(answer.topics.first?.partitions.first?.errorCode == ErrorCode.none)
        subscriber = try pipeline.subscriber()
        try await eventually("the rest is read") { subscriber.service.statistics.samplesStored == 2 }
        #expect(subscriber.service.statistics.missedRecords == ["metrics.a": 4])
        try await subscriber.stop()
        #expect(try pipeline.stored().count == 5)
        try await pipeline.stop()
    }
}
