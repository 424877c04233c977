import KafkaClient
import KafkaProtocol
import NIOCore
import RecordBatch
import Subscriber
import TestKit
import Testing

/// Each format from a producer to the database, against a real broker.
@Suite(.timeLimit(.minutes(2))) struct FormatTests {
    private static let collectd =
        #"[{"values":[7],"dstypes":["derive"],"dsnames":["value"],"time":1700000000.5,"interval":10,"host":"lab","#
        + #""plugin":"cpu","plugin_instance":"0","type":"cpu","type_instance":"idle"}]"#

    private func type(_ value: String, header: String = "content-type") -> [RecordHeader] {
        [RecordHeader(key: header, value: ByteBuffer(string: value))]
    }

    @Test func `a record's content type chooses its format`() async throws {
        let pipeline = try await PipelineFixture()
        let subscriber = try pipeline.subscriber()
        let topic = "metrics.mixed"
        try await pipeline.send("plain 1", to: topic)
        try await pipeline.send("typed 2 1700000000001", to: topic, headers: type("text/plain; version=0.0.4"))
        try await pipeline.send(
            "open_total 3 1700000000.002\n# EOF\n", to: topic,
            headers: type("application/openmetrics-text; version=1.0.0; charset=utf-8", header: "Content-Type"))
        try await pipeline.send(
            "room,name=lab temp=21.5,note=\"hi\" 1700000000\nroom half\n", to: topic,
            headers: type("application/vnd.influxdb.line-protocol; precision=s"))
        try await pipeline.send(Self.collectd, to: topic, headers: type("application/json"))
        try await pipeline.send("spare 1", to: topic, headers: type("image/png"))
        try await eventually("everything is read") { subscriber.service.statistics.recordsRead == 6 }
        #expect(
            try pipeline.stored().sorted() == [
                #"collectd_cpu_total{cpu="0",instance="lab",type="idle"} 7.0@1700000000500"#,
                "open_total 3.0@1700000000002", "plain 1.0@1700000000000", #"room_temp{name="lab"} 21.5@1700000000000"#,
                "typed 2.0@1700000000001",
            ])
        #expect(subscriber.service.statistics.rejectedLines == 2)
        #expect(subscriber.service.statistics.skippedValues == 1)

        let consumer = try GroupConsumer(
            cluster: pipeline.cluster,
            configuration: GroupConsumerConfiguration(
                group: "checking", topics: .named([try TopicName("metrics.rejected")])))
        var rejected: [Record] = []
        for try await batch in consumer {
            rejected += try batch.records
            if rejected.count >= 2 { break }
        }
        await consumer.close()
        rejected.sort { ($0.value.map { String(buffer: $0) } ?? "") < ($1.value.map { String(buffer: $0) } ?? "") }
        let reasons = rejected.map { record in
            record.headers.first { $0.key == "weir-reason" }?.value.map { String(buffer: $0) } ?? ""
        }
        #expect(rejected.map { $0.value.map { String(buffer: $0) } } == ["room half", "spare 1"])
        #expect(reasons.first == "no '=' after field 'half'")
        #expect(reasons.last?.hasPrefix("unknown content type 'image/png'; known are prometheus = text/plain") == true)
        try await subscriber.stop()
        try await pipeline.stop()
    }

    @Test func `a topic's setting is the format of records without a content type`() async throws {
        let pipeline = try await PipelineFixture()
        var configuration = SubscriberConfiguration(
            bootstrap: [pipeline.address], databasePath: pipeline.databasePath)
        configuration.formats = [
            try TopicFormat(parsing: #"metrics\.sensors\..*=influx;precision=ms"#),
            try TopicFormat(parsing: "metrics.collectd=collectd"),
        ]
        let subscriber = Running(
            try SubscriberService(configuration: configuration, logger: pipeline.logger), logger: pipeline.logger)
        try await pipeline.send("room temp=1 1700000000001", to: "metrics.sensors.lab")
        try await pipeline.send("room_temp 2 1700000000002", to: "metrics.sensors.lab", headers: type("text/plain"))
        try await pipeline.send(Self.collectd, to: "metrics.collectd")
        try await pipeline.send("up 4 1700000000004", to: "metrics.other")
        try await eventually("everything is read") { subscriber.service.statistics.recordsRead == 4 }
        try await subscriber.stop()
        #expect(
            try pipeline.stored().sorted() == [
                #"collectd_cpu_total{cpu="0",instance="lab",type="idle"} 7.0@1700000000500"#,
                "room_temp 1.0@1700000000001", "room_temp 2.0@1700000000002", "up 4.0@1700000000004",
            ])
        try await pipeline.stop()
    }

    @Test func `a setting that cannot be used says why`() {
        for (text, part) in [
            ("metrics.x", "is not TOPIC=FORMAT"), ("metrics.x=xml", "unknown content type 'xml'"),
            ("metrics.(=influx", "no regular expression"), ("a=influx;precision=h", "precision is 'h'"),
        ] {
            let error = #expect(throws: TopicFormatError.self) { try TopicFormat(parsing: text) }
            #expect(error?.description.contains(part) == true, "\(text)")
        }
    }
}
