import Aggregation
import KafkaClient
import KafkaProtocol
import MetricModel
import NIOCore
import RecordBatch
import Subscriber
import TestKit
import Testing

/// The mode `realtime` against a real broker: what becomes of alerts is published, and survives restarts.
@Suite(.timeLimit(.minutes(2))) struct RealtimeTests {
    private func subscriber(
        _ pipeline: PipelineFixture, _ conditions: String...
    ) throws -> Running<SubscriberService> {
        var configuration = SubscriberConfiguration(
            bootstrap: [pipeline.address], databasePath: pipeline.databasePath)
        configuration.mode = .realtime
        configuration.conditions = try conditions.map { try ConditionText(parsing: $0).condition() }
        return Running(
            try SubscriberService(configuration: configuration, logger: pipeline.logger), logger: pipeline.logger)
    }

    /// Everything in the topic of alerts so far: the ids, in order, and the values.
    private func published(_ pipeline: PipelineFixture) async throws -> [(id: String, alert: AlertRecord?)] {
        let partition = TopicPartition(topic: try TopicName("alerts"), partition: PartitionIndex(0))
        let end = try await Admin(cluster: pipeline.cluster).endOffsets([partition])[partition] ?? 0
        var records: [Record] = []
        if end == 0 { return [] }
        let consumer = PartitionConsumer(cluster: pipeline.cluster, starts: [partition: 0])
        defer { consumer.close() }
        for try await batch in consumer {
            records += try batch.records
            if batch.nextOffset >= end { break }
        }
        return try records.map { record in
            let id = record.headers.first { $0.key == "weir-alert-id" }?.value.map { String(buffer: $0) } ?? ""
            return (id, try record.value.map { try AlertRecord(json: $0.readableBytesView) })
        }
    }

    private func wait(_ pipeline: PipelineFixture, for count: Int) async throws -> [(id: String, alert: AlertRecord?)] {
        var found: [(id: String, alert: AlertRecord?)] = []
        try await eventually("\(count) events are published: \(found.map(\.id))") {
            do {
                found = try await published(pipeline)
            } catch KafkaClientError.unknownTopic {
                return false
            }
            return found.count >= count
        }
        return found
    }

    @Test func `alerts fire and resolve on arrival, are stored with the samples, and go on after a restart`()
        async throws
    {
        let pipeline = try await PipelineFixture()
        let start = Timestamp.now() - .seconds(120)
        func send(_ value: Int, after seconds: Int) async throws {
            let time = (start + .seconds(seconds)).milliseconds
            try await pipeline.send(
                "load{instance=\"a\"} \(value) \(time)\nload{instance=\"b\"} 1 \(time)\n", to: "metrics.load")
        }
        var running = try subscriber(pipeline, "load > 8 for 30s")
        try await send(9, after: 0)
        let series = #"load > 8 for 30s load{instance="a"}"#
        let pending = try await wait(pipeline, for: 1)
        #expect(pending.map(\.id) == ["\(series) \(start.milliseconds) pending"])
        #expect(pending[0].alert?.labels == ["instance": "a", "alertname": "load > 8 for 30s"])
        try await eventually("it is stored") { running.service.statistics.samplesStored == 2 }
        try await running.stop()

        running = try subscriber(pipeline, "load > 8 for 30s")
        try await send(12, after: 40)
        let firing = try await wait(pipeline, for: 2)
        #expect(firing.map(\.id).last == "\(series) \(start.milliseconds) firing")
        #expect(firing.last?.alert?.value == "12")
        #expect(firing.last?.alert?.startsAt == "\(start + .seconds(40))")
        // A clock of the year 2100 does not make the series' last sample.
        try await pipeline.send("load{instance=\"a\"} 99 4102444800000\n", to: "metrics.load")
        await running.cancel()

        running = try subscriber(pipeline, "load > 8 for 30s")
        try await send(3, after: 50)
        let resolved = try await wait(pipeline, for: 3)
        #expect(Set(resolved.map(\.id)).count == 3, "nothing was said that did not happen")
        #expect(resolved.last?.alert?.endsAt == "\(start + .seconds(50))")
        #expect(resolved.last?.alert?.ending == .value)
        try await eventually("all is stored") { try pipeline.stored().count == 7 }
        try await eventually("it is counted") { running.service.statistics.alerts.events[.resolved] == 1 }
        #expect(running.service.statistics.alerts.watchedSeries == 2)
        try await running.stop()

        let settings = try await Admin(cluster: pipeline.cluster).settings(of: try TopicName("alerts"))
        #expect(settings.first { $0.name == "cleanup.policy" }?.value == "compact")
        try await pipeline.stop()
    }

    @Test func `a pending alert that goes away leaves nothing, and one of a changed condition is over`() async throws {
        let pipeline = try await PipelineFixture()
        let start = (Timestamp.now() - .seconds(60)).milliseconds
        var running = try subscriber(pipeline, "a > 1 for 1h", "b > 1")
        try await pipeline.send("a 2 \(start)\nb 2 \(start)\n", to: "metrics.t")
        try await pipeline.send("a 1 \(start + 1000)\n", to: "metrics.t")
        let first = try await wait(pipeline, for: 3)
        #expect(
            first.map(\.id) == [
                "a > 1 for 1h a \(start) pending", "b > 1 b \(start) firing", "a > 1 for 1h a \(start) inactive",
            ])
        #expect(first[2].alert == nil, "a tombstone")
        try await eventually("it is stored") { running.service.statistics.samplesStored == 3 }
        try await running.stop()
        running = try subscriber(pipeline, "a > 1 for 1h")
        let second = try await wait(pipeline, for: 4)
        #expect(second.last?.id == "b > 1 b \(start) resolved")
        #expect(second.last?.alert?.ending == .conditionChanged)
        try await running.stop()
        try await pipeline.stop()
    }
}
