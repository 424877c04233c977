import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import KafkaClient

/// The producer against the embedded broker.
@Suite struct BrokerProducerTests {
    @Test func preEncodedBatchesAreWrittenOnceAcrossARestart() async throws {
        try await TestBroker.with { broker, cluster in
            let producer = Producer(cluster: cluster)
            let target = try partition("t")
            var expected = Offset(0)
            for round in 0..<30 {
                if round % 10 == 5 {
                    await broker.stop()
                    async let sent = producer.send(try batch(["\(round)a", "\(round)b"]), to: target)
                    try await broker.start()
                    #expect(try await sent == expected)
                } else {
                    #expect(try await producer.send(try batch(["\(round)a", "\(round)b"]), to: target) == expected)
                }
                expected = expected.advanced(by: 2)
            }
            #expect(try await Admin(cluster: cluster).endOffsets([target]) == [target: 60])
            await producer.close()
        }
    }

    @Test func manySendersFillBatches() async throws {
        try await TestBroker.with { _, cluster in
            let producer = Producer(
                cluster: cluster, configuration: ProducerConfiguration(linger: .milliseconds(5), compression: .zstd))
            let name = try topic("t")
            try await Admin(cluster: cluster).createTopic(NewTopic(name: name, partitions: 3))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<20 {
                    group.addTask {
                        for value in 0..<50 {
                            _ = try await producer.send(
                                ProducerMessage(topic: name, key: bytes("\(sender)"), value: bytes("\(value)")))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let partitions = try (Int32(0)..<3).map { try partition("t", $0) }
            let ends = try await Admin(cluster: cluster).endOffsets(partitions)
            #expect(ends.values.reduce(0) { $0 + $1.rawValue } == 1000)
            await producer.close()
        }
    }

    @Test func recordThatIsTooLargeIsRefusedByName() async throws {
        try await TestBroker.with { _, cluster in
            let producer = Producer(cluster: cluster)
            let large = ByteBuffer(repeating: 1, count: 2 << 20)
            await #expect {
                try await producer.send(ProducerMessage(topic: try topic("t"), value: large))
            } throws: { error in
                (error as? KafkaClientError)?.code == .messageTooLarge && "\(error)".contains("t-0")
            }
            await producer.close()
        }
    }
}
