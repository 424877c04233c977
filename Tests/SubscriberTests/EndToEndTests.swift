import Aggregation
import KafkaClient
import KafkaProtocol
import MetricModel
import NIOCore
import RecordBatch
import SeriesStore
import Subscriber
import Synchronization
import TestKit
import Testing

/// Against a real broker over real sockets.
@Suite(.timeLimit(.minutes(2))) struct EndToEndTests {
    @Test func `records become samples and windows`() async throws {
        let pipeline = try await PipelineFixture()
        try await pipeline.send("node_load1 1 1700000000000\nnode_load1 3 1700000030000\n", to: "metrics.load")
        let subscriber = try pipeline.subscriber()
        try await eventually("both samples are stored") { subscriber.service.statistics.samplesStored == 2 }
        // A topic that appears while the subscriber runs.
        try await pipeline.send(#"room_temperature_celsius{room="lab"} 21.5"#, to: "metrics.custom")
        try await eventually("the new topic is read") { subscriber.service.statistics.samplesStored == 3 }
        #expect(
            try pipeline.stored() == [
                "node_load1 1.0@1700000000000", "node_load1 3.0@1700000030000",
                #"room_temperature_celsius{room="lab"} 21.5@1700000000000"#,
            ])
        let reader = try SeriesReader(path: pipeline.databasePath)
        let id = try #require(try reader.series(matching: [LabelMatcher("__name__", equals: "node_load1")]).first).id
        let minutes = try reader.windows(
            of: [id], resolution: .oneMinute, from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: .max))
        // 1700000000000 is 20 s into its minute.
        #expect(minutes[id]?.map(\.aggregate.count) == [2])
        #expect(minutes[id]?.first?.aggregate.mean == 2)
        try reader.close()
        #expect(try await subscriber.stop() < .seconds(2))
        try await pipeline.stop()
    }

    @Test func `what is sent twice counts once, and what is no sample goes to metrics.rejected`() async throws {
        let pipeline = try await PipelineFixture()
        let subscriber = try pipeline.subscriber()
        for sequence in [0, 1, 1, 2, 0] {
            try await pipeline.send(
                "up \(sequence) \(1_700_000_000_000 + sequence)", to: "metrics.up", headers: agentHeaders(sequence))
        }
        let bad = try await pipeline.send("up 7\nthis is no sample\n", to: "metrics.up")
        try await eventually("all records are stored") { subscriber.service.statistics.recordsRead == 6 }
        let statistics = subscriber.service.statistics
        #expect(statistics.samplesStored == 3, "the last is at the timestamp of the first")
        #expect(statistics.duplicateRecords == 2)
        #expect(statistics.duplicateSamples == 1)
        #expect(statistics.rejectedLines == 1)
        #expect(statistics.lostRejections == 0)

        let consumer = try GroupConsumer(
            cluster: pipeline.cluster,
            configuration: GroupConsumerConfiguration(
                group: "checking", topics: .named([try TopicName("metrics.rejected")])))
        var rejected: [Record] = []
        for try await batch in consumer {
            rejected += try batch.records
            break
        }
        await consumer.close()
        let record = try #require(rejected.first)
        #expect(record.value.map { String(buffer: $0) } == "this is no sample")
        let headers = record.headers.map { "\($0.key)=\($0.value.map { String(buffer: $0) } ?? "")" }
        #expect(headers.contains("weir-topic=metrics.up"))
        #expect(headers.contains("weir-partition=0"))
        #expect(headers.contains("weir-offset=\(bad)"))
        #expect(headers.contains("weir-line=2"))
        try await subscriber.stop()
        try await pipeline.stop()
    }

    @Test func `a restart goes on exactly where the database stopped`() async throws {
        let pipeline = try await PipelineFixture()
        var random = SeededGenerator()
        var sent: [String] = []
        var subscriber = try pipeline.subscriber()
        for number in 0..<120 {
            let timestamp = 1_700_000_000_000 + Int64(number) * 1000
            // No agent's headers: only the offset tells whether it has been counted.
            try await pipeline.send("beat \(number) \(timestamp)\nnow \(number)", to: "metrics.beat", at: timestamp)
            sent.append("beat \(Double(number))@\(timestamp)")
            if number % 30 == 17 {
                if Bool.random(using: &random) {
                    #expect(try await subscriber.stop() < .seconds(2))
                } else {
                    await subscriber.cancel()
                }
                subscriber = try pipeline.subscriber()
            }
        }
        try await eventually("everything is stored") { try pipeline.stored().count >= 240 }
        try await eventually("the lag is gone") { subscriber.service.statistics.lag == 0 }
        try await subscriber.stop()
        let stored = try pipeline.stored()
        #expect(stored.filter { $0.hasPrefix("beat") } == sent)
        #expect(stored.count == 240)

        let partition = TopicPartition(topic: try TopicName("metrics.beat"), partition: PartitionIndex(0))
        let committed = try await Admin(cluster: pipeline.cluster).committedOffsets(group: "weir")
        #expect(committed[partition] == 120, "the group's offsets follow the database")
        let reader = try SeriesReader(path: pipeline.databasePath)
        #expect(try reader.progress().offsets[SourcePartition(topic: "metrics.beat", partition: 0)] == 120)
        try reader.close()
        try await pipeline.stop()
    }

    @Test func `a topic that was made anew is read from its start`() async throws {
        let pipeline = try await PipelineFixture()
        var subscriber = try pipeline.subscriber()
        for number in 0..<5 {
            try await pipeline.send("up \(number) \(1_700_000_000_000 + number)", to: "metrics.up")
        }
        try await eventually("the first topic is stored") { subscriber.service.statistics.samplesStored == 5 }
        try await subscriber.stop()
        _ = try await Admin(cluster: pipeline.cluster).deleteTopics([try TopicName("metrics.up")])
        try await eventually("the topic is made anew") {
            do {
                return try await pipeline.send("up 100 1700000001000", to: "metrics.up") == 0
            } catch is KafkaClientError {
                return false
            }
        }
        subscriber = try pipeline.subscriber()
        try await eventually("the new topic is stored") { try pipeline.stored().count == 6 }
        try await subscriber.stop()
        #expect(try pipeline.stored().contains("up 100.0@1700000001000"))
        try await pipeline.stop()
    }

    @Test func `a topic that was made anew is recognised though it reaches further than the old one did`() async throws
    {
        let pipeline = try await PipelineFixture()
        var subscriber = try pipeline.subscriber()
        for number in 0..<3 { try await pipeline.send("up \(number) \(1_700_000_000_000 + number)", to: "metrics.up") }
        try await eventually("the first topic is stored") { subscriber.service.statistics.samplesStored == 3 }
        try await subscriber.stop()
        _ = try await Admin(cluster: pipeline.cluster).deleteTopics([try TopicName("metrics.up")])
        try await eventually("the topic is made anew") {
            do {
                return try await pipeline.send("up 100 1700000001000", to: "metrics.up") == 0
            } catch is KafkaClientError {
                return false
            }
        }
        for number in 1..<6 {
            try await pipeline.send("up \(100 + number) \(1_700_000_001_000 + number)", to: "metrics.up")
        }
        let lines = LogLines()
        subscriber = try pipeline.subscriber(logger: lines.logger)
        try await eventually("all of the new topic is stored") { try pipeline.stored().count == 9 }
        #expect(lines.all.contains { $0.contains("made anew since the database read it up to offset 3") })
        // Made anew once more, now under the eyes of the subscriber.
        _ = try await Admin(cluster: pipeline.cluster).deleteTopics([try TopicName("metrics.up")])
        try await eventually("the topic is made anew") {
            do {
                return try await pipeline.send("up 200 1700000002000", to: "metrics.up") == 0
            } catch is KafkaClientError {
                return false
            }
        }
        try await eventually("it is read too") { try pipeline.stored().count == 10 }
        try await subscriber.stop()
        let id = try await pipeline.cluster.refreshMetadata().topics[try TopicName("metrics.up")]?.id
        let reader = try SeriesReader(path: pipeline.databasePath)
        let stored = try reader.progress().positions[SourcePartition(topic: "metrics.up", partition: 0)]
        #expect(stored?.nextOffset == 1)
        #expect(stored?.topicID == id?.description)
        #expect(stored?.checksum != nil)
        try reader.close()
        try await pipeline.stop()
    }

    @Test func `a database that is lost is built again from the topics`() async throws {
        let pipeline = try await PipelineFixture()
        for number in 0..<3 { try await pipeline.send("up \(number) 170000000000\(number)", to: "metrics.up") }
        let first = try pipeline.subscriber()
        try await eventually("all is stored") { first.service.statistics.samplesStored == 3 }
        try await first.stop()
        for suffix in ["", "-wal", "-shm"] { removeTree(pipeline.databasePath + suffix) }
        let second = try pipeline.subscriber()
        try await eventually("all is stored again, though the group had committed") {
            second.service.statistics.samplesStored == 3
        }
        try await second.stop()
        try await pipeline.stop()
    }

    @Test func `two subscribers of one group share a database, and partitions move between them`() async throws {
        let pipeline = try await PipelineFixture()
        let topic = try TopicName("metrics.shared")
        try await Admin(cluster: pipeline.cluster).createTopic(NewTopic(name: topic, partitions: 4))
        let subscriber = try pipeline.subscriber()
        let beats = Heartbeats(pipeline, to: topic)
        var stored: Int64 = 0
        for isStopped in [true, false] {
            let other = try pipeline.subscriber()
            try await eventually("the other has partitions") { other.service.statistics.samplesStored > 0 }
            if isStopped { try await other.stop() } else { await other.cancel() }
            stored += other.service.statistics.samplesStored
        }
        let sent = try await beats.stop()
        try await eventually("everything is stored") { try pipeline.stored().count >= sent }
        try await subscriber.stop()
        #expect(subscriber.service.statistics.samplesStored + stored == sent)
        #expect(subscriber.service.statistics.duplicateSamples == 0, "each record was read once")
        #expect(try pipeline.stored().count == sent)
        try await pipeline.stop()
    }

    @Test func `a restored backup is brought up to date, and the group's offsets follow it back`() async throws {
        let pipeline = try await PipelineFixture()
        let topic = try TopicName("metrics.up")
        let partition = TopicPartition(topic: topic, partition: PartitionIndex(0))
        var subscriber = try pipeline.subscriber()
        func send(_ numbers: Range<Int>) async throws {
            for number in numbers {
                try await pipeline.send("up \(number)", to: topic.rawValue, at: 1_700_000_000_000 + Int64(number))
            }
        }
        try await send(0..<5)
        try await eventually("the first are stored") { subscriber.service.statistics.samplesStored == 5 }
        let backup = pipeline.directory.appending("backup.sqlite")
        try DatabaseBackup.run(from: pipeline.databasePath, to: backup)
        try await send(5..<9)
        try await eventually("all are stored") { subscriber.service.statistics.samplesStored == 9 }
        try await subscriber.stop()
        let admin = Admin(cluster: pipeline.cluster)
        #expect(try await admin.committedOffsets(group: "weir")[partition] == 9)

        // The backup comes back while the broker keeps some of what it lacks only: offsets 5 and 6 are gone.
        for suffix in ["", "-wal", "-shm"] { removeTree(pipeline.databasePath + suffix) }
        try DatabaseBackup.run(from: backup, to: pipeline.databasePath)
        _ = try await pipeline.cluster.send(
            DeleteRecordsRequest(
                topics: [.init(name: topic.rawValue, partitions: [.init(partitionIndex: 0, offset: 7)])],
                timeoutMs: 10_000), to: .any)
        let lines = LogLines()
        subscriber = try pipeline.subscriber(logger: lines.logger)
        try await eventually("what is left is stored") { subscriber.service.statistics.samplesStored == 2 }
        #expect(lines.all.contains { $0.contains("2 records were deleted before they were read, offsets 5 to 6") })
        #expect(try pipeline.stored().count == 7)
        try await subscriber.stop()

        // A group that is ahead of its database is set back, even when there is nothing to read.
        try await admin.commitOffsets([partition: 50], group: "weir")
        subscriber = try pipeline.subscriber()
        try await eventually("the group is set back") {
            try await admin.committedOffsets(group: "weir")[partition] == 9
        }
        try await subscriber.stop()
        try await pipeline.stop()
    }

    @Test func `partitions that go to another member and come back are counted once`() async throws {
        let pipeline = try await PipelineFixture()
        let topic = try TopicName("metrics.shared")
        try await Admin(cluster: pipeline.cluster).createTopic(NewTopic(name: topic, partitions: 4))
        let subscriber = try pipeline.subscriber()
        let beats = Heartbeats(pipeline, to: topic)
        for _ in 0..<2 {
            let other = try pipeline.subscriber(database: pipeline.directory.appending("other.sqlite"))
            try await eventually("the other has partitions") { other.service.statistics.samplesStored > 0 }
            try await other.stop()
            for suffix in ["", "-wal", "-shm"] { removeTree(pipeline.directory.appending("other.sqlite\(suffix)")) }
        }
        let sent = try await beats.stop()
        try await eventually("the first has everything") { try pipeline.stored().count >= sent }
        try await subscriber.stop()
        let statistics = subscriber.service.statistics
        #expect(statistics.samplesStored == sent)
        #expect(statistics.duplicateSamples == 0, "each record was read once")
        #expect(try pipeline.stored().count == sent)
        try await pipeline.stop()
    }
}

/// Sends records round the four partitions of a topic until it is stopped: as long as it takes, however slow the machine is.
private final class Heartbeats: Sendable {
    private let isEnough = Mutex(false)
    private let sending = Mutex<Task<Int, any Error>?>(nil)

    init(_ pipeline: PipelineFixture, to topic: TopicName) {
        let task = Task { [self] in
            var number = 0
            while !isEnough.withLock({ $0 }) {
                // No headers and no timestamps in the text: only the offset tells whether it has been counted.
                _ = try await pipeline.producer.send(
                    ProducerMessage(
                        topic: topic, partition: PartitionIndex(Int32(number % 4)),
                        value: ByteBuffer(string: "beat{n=\"\(number % 7)\"} \(number)"),
                        timestamp: 1_700_000_000_000 + Int64(number)))
                number += 1
                try await Task.sleep(for: .milliseconds(4))
            }
            return number
        }
        sending.withLock { $0 = task }
    }

    /// Gives how many were sent.
    func stop() async throws -> Int {
        isEnough.withLock { $0 = true }
        return try await sending.withLock { $0 }?.value ?? 0
    }
}
