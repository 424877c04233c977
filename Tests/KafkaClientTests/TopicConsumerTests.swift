import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

@testable import KafkaClient

/// Reading all topics of a pattern without a group, against the embedded broker.
@Suite struct TopicConsumerTests {
    /// What a consumer has read, in the order of arrival.
    private final class Seen: Sendable {
        private let values = Mutex<[String]>([])
        func add(_ batch: ConsumedBatch) throws {
            let texts = try batch.records.map { $0.value.map { String(buffer: $0) } ?? "" }
            values.withLock { $0 += texts }
        }
        var all: [String] { values.withLock { $0 } }
    }

    private func send(_ producer: Producer, _ topic: String, _ value: String, at time: Int64? = nil) async throws {
        _ = try await producer.send(
            ProducerMessage(topic: try TopicName(topic), value: ByteBuffer(string: value), timestamp: time))
    }

    private func read(_ consumer: TopicConsumer, into seen: Seen) -> Task<Void, any Error> {
        Task { for try await batch in consumer { try seen.add(batch) } }
    }

    @Test func fromTheEndItReadsWhatComesAndTopicsThatAppearFromTheirFirstRecord() async throws {
        try await TestBroker.with { _, cluster in
            let producer = Producer(cluster: cluster)
            try await send(producer, "m.old", "before")
            try await send(producer, "other", "no")
            let consumer = try TopicConsumer(
                cluster: cluster, topics: .pattern(#"m\..*"#, excluding: ["m.hidden"]), start: .end,
                refresh: .milliseconds(50))
            try await consumer.begin()
            #expect(consumer.partitions.map(\.topic.rawValue) == ["m.old"])
            let seen = Seen()
            let reading = read(consumer, into: seen)
            try await send(producer, "m.new", "first")
            try await send(producer, "m.hidden", "no")
            try await send(producer, "m.old", "after")
            try await eventually("both topics are read: \(seen.all)") { Set(seen.all) == ["first", "after"] }
            consumer.close()
            try await reading.value
            await producer.close()
        }
    }

    @Test func fromTheBeginningOrATimeItReadsWhatIsThere() async throws {
        try await TestBroker.with { _, cluster in
            let producer = Producer(cluster: cluster)
            for number in 1...4 { try await send(producer, "t", "\(number)", at: Int64(number) * 1000) }
            for (start, expected) in [
                (TopicConsumer.Start.beginning, ["1", "2", "3", "4"]), (.time(3000), ["3", "4"]), (.time(9000), []),
            ] {
                let consumer = try TopicConsumer(
                    cluster: cluster, topics: .named([try TopicName("t")]), start: start, refresh: .milliseconds(50))
                try await consumer.begin()
                let seen = Seen()
                let reading = read(consumer, into: seen)
                try await send(producer, "t", "end", at: 4000)
                try await eventually("it is read to its end") { seen.all.last == "end" }
                #expect(seen.all.filter { $0 != "end" } == expected)
                consumer.close()
                try await reading.value
            }
            await producer.close()
        }
    }

    @Test func aTopicThatIsDeletedIsForgottenAndReadAnewWhenItIsBack() async throws {
        try await TestBroker.with { _, cluster in
            let producer = Producer(cluster: cluster)
            try await send(producer, "t", "a")
            try await send(producer, "u", "a")
            let consumer = try TopicConsumer(
                cluster: cluster, topics: .pattern("[tu]"), start: .end, refresh: .milliseconds(20))
            try await consumer.begin()
            let seen = Seen()
            let reading = read(consumer, into: seen)
            try await Admin(cluster: cluster).deleteTopic(try TopicName("t"))
            try await eventually("it is forgotten") { consumer.partitions.map(\.topic.rawValue) == ["u"] }
            try await send(producer, "u", "meanwhile")
            try await eventually("the other one is read") { seen.all == ["meanwhile"] }
            try await Admin(cluster: cluster).createTopic(NewTopic(name: try TopicName("t")))
            try await eventually("it is written anew") {
                do {
                    try await send(producer, "t", "b")
                    return true
                } catch is KafkaClientError {
                    return false
                }
            }
            try await eventually("it is read anew: \(seen.all)") { seen.all.contains("b") }
            consumer.close()
            try await reading.value
            await producer.close()
        }
    }

    @Test func aClusterThatIsNotThereIsSaidAtOnce() async throws {
        let cluster = Cluster(
            configuration: ClientConfiguration(bootstrap: [BrokerAddress(host: "127.0.0.1", port: 1)]),
            logger: LogLines().logger)
        let consumer = try TopicConsumer(cluster: cluster, topics: .pattern(".*"), start: .end)
        await #expect(throws: KafkaClientError.self) { try await consumer.begin() }
        consumer.close()
        cluster.close()
    }
}
