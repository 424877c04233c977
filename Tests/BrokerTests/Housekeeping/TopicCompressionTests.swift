import KafkaProtocol
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// `compression.type`: a batch that comes with another codec is compressed anew.
@Suite struct TopicCompressionTests {
    private func withTopic(
        compression: String, more: [String: String] = [:], _ body: (RawClient) async throws -> Void
    ) async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let configs = more.merging(["compression.type": compression]) { $1 }
            let answer = try await client.ask(
                CreateTopicsRequest(topics: [
                    .init(
                        name: "t", numPartitions: 1, replicationFactor: 1,
                        configs: configs.map { .init(name: $0.key, value: $0.value) })
                ]))
            #expect(answer.topics.map(\.errorCode) == [ErrorCode.none])
            try await body(client)
        }
    }

    private static let values = (0..<50).map { "value \($0) of a batch that is worth compressing" }

    @Test(arguments: CompressionCodec.allCases, CompressionCodec.allCases)
    func batchesAreStoredWithTheTopicsCodec(of topic: CompressionCodec, from producer: CompressionCodec) async throws {
        try await self.withTopic(compression: topic == .none ? "uncompressed" : topic.description) { client in
            let batch = try Requests.batch(
                Self.values, key: "k", codec: producer, producerID: 7, epoch: 0, sequence: 0)
            for _ in 0..<2 {
                // The second time it is recognised, whatever became of the first.
                let answer = try await client.ask(Requests.produce(batch, to: "t"))
                #expect(answer.only.errorCode == ErrorCode.none && answer.only.baseOffset == 0)
            }
            let fetched = try await client.ask(Requests.fetch("t"))
            let stored = try EncodedBatch.split(try #require(fetched.only.records)).whole
            #expect(stored.map(\.header.compression) == [topic])
            #expect(stored.map(\.header.producerID) == [7])
            #expect(try fetched.values == Self.values)
            if topic == producer { #expect(stored.map(\.header.crc) == [batch.header.crc]) }
        }
    }

    @Test func whatDoesNotFitIsRefused() async throws {
        try await self.withTopic(compression: "uncompressed", more: ["max.message.bytes": "1000"]) { client in
            let batch = try Requests.batch([String(repeating: "x", count: 5_000)], codec: .zstd)
            #expect(batch.header.totalByteCount < 1_000)
            let answer = try await client.ask(Requests.produce(batch, to: "t"))
            #expect(answer.only.errorCode == .messageTooLarge)
        }
    }
}
