import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import KafkaClient

/// Reading without a group, and what administrators do to groups and settings, against the embedded broker.
@Suite struct PartitionConsumerTests {
    @Test func recordsEnqueuedByOneTaskAreReadInOrderFromAnyOffset() async throws {
        try await TestBroker.with { _, cluster in
            let target = try partition("t")
            let producer = Producer(cluster: cluster)
            var deliveries: [Producer.Delivery] = []
            for number in 0..<1000 {
                let message = ProducerMessage(
                    topic: target.topic, partition: target.partition, value: ByteBuffer(string: "\(number)"))
                deliveries.append(try await producer.enqueue(message))
            }
            for (number, delivery) in deliveries.enumerated() {
                #expect(try await delivery.offset() == Offset(Int64(number)))
            }
            await producer.close()
            var values: [String] = []
            for try await batch in PartitionConsumer(cluster: cluster, starts: [target: 990]) {
                values += try batch.records.map { $0.value.map { String(buffer: $0) } ?? "" }
                if batch.nextOffset >= 1000 { break }
            }
            #expect(values == (990..<1000).map { "\($0)" })
        }
    }

    @Test func theTimestampAtAnOffsetIsThatOfTheRecord() async throws {
        try await TestBroker.with { _, cluster in
            let admin = Admin(cluster: cluster)
            let producer = Producer(cluster: cluster)
            let target = try partition("t")
            // Timestamps 1000, 1001, 1002.
            _ = try await producer.send(try batch(["a", "b", "c"]), to: target)
            await producer.close()
            #expect(try await admin.timestamps(ofRecordsAt: [target: 1]) == [target: 1001])
            #expect(try await admin.timestamps(ofRecordsAt: [target: 3]).isEmpty)
            #expect(try await admin.timestamps(ofRecordsAt: [target: 99]).isEmpty)
        }
    }

    @Test func offsetsOfAGroupAreSetAndTheGroupIsDeleted() async throws {
        try await TestBroker.with { _, cluster in
            let admin = Admin(cluster: cluster)
            let target = try partition("t")
            try await admin.createTopic(NewTopic(name: target.topic))
            try await admin.commitOffsets([target: 0], group: "g")
            #expect(try await admin.committedOffsets(group: "g") == [target: 0])
            #expect(try await admin.deleteGroups(["g"]).isEmpty)
            #expect(try await admin.committedOffsets(group: "g").isEmpty)
            #expect(try await admin.deleteGroups(["g"])["g"]?.code == .groupIDNotFound)
        }
    }

    @Test func anAPIThatTheClusterLacksIsNamedWithTheReleaseThatHasIt() throws {
        let address = BrokerAddress(host: "old", port: 9092)
        let error = KafkaClientError.unsupported(address, request: "IncrementalAlterConfigs")
        #expect("\(error)".contains("IncrementalAlterConfigs"))
        #expect("\(error)".contains("Kafka 2.3 or later"))
    }
}
