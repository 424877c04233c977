import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

@Suite struct ProduceTests {
    @Test func recordsComeBackAsTheyWereSentInEveryVersion() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            var offset: Int64 = 0
            for version in Int16(3)...9 {
                let response = try await client.ask(
                    try Requests.produce(["a \(version)", "b \(version)"], to: "t"), version: version)
                #expect(response.only.errorCode == .none)
                #expect(response.only.baseOffset == offset)
                offset += 2
            }
            for version in Int16(4)...12 {
                let response = try await client.ask(Requests.fetch("t", from: 4), version: version)
                #expect(response.only.highWatermark == offset)
                #expect(try response.values.prefix(2) == ["a 5", "b 5"])
                #expect(try response.values.count == 10)
                #expect(response.sessionID == 0)
            }
        }
    }

    @Test(arguments: [CompressionCodec.none, .gzip, .snappy, .lz4, .zstd])
    func compressedBatchesStayAsTheClientMadeThem(_ codec: CompressionCodec) async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let batch = try Requests.batch((0..<100).map { "value \($0)" }, codec: codec)
            #expect(try await client.ask(Requests.produce(batch, to: "t")).only.errorCode == .none)
            let response = try await client.ask(Requests.fetch("t"))
            let bytes = try #require(response.only.records)
            #expect(try EncodedBatch(validating: bytes).header.crc == batch.header.crc)
            #expect(try response.values.count == 100)
        }
    }

    @Test func acksZeroHasNoAnswer() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            try await client.send(try Requests.produce(["silent"], to: "t", acks: 0))
            // The next answer is to the next request.
            #expect(try await client.ask(try Requests.produce(["loud"], to: "t", acks: 1)).only.baseOffset == 1)
            #expect(try await client.ask(Requests.fetch("t")).values == ["silent", "loud"])
        }
    }

    @Test func acksZeroIsHungUpOnWhenRecordsAreRefused() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.autoCreateTopics = false }) { broker in
            let client = try await broker.connect()
            try await client.send(try Requests.produce(["x"], to: "missing", acks: 0))
            try await client.closedByServer()
            #expect(broker.log.matching("acks=0 were refused: missing-0").count == 1)
        }
    }

    @Test func whatIsNoProperBatchIsRefusedWithAReason() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.batchBytes = 500 }) { broker in
            let client = try await broker.connect()
            func code(_ bytes: ByteBuffer?, acks: Int16 = -1) async throws -> ErrorCode {
                let request = ProduceRequest(
                    acks: acks, timeoutMs: 0,
                    topicData: [.init(name: "t", partitionData: [.init(index: 0, records: bytes)])])
                let answer = try await client.ask(request).only
                #expect(answer.errorMessage != nil)
                return answer.errorCode
            }
            var corrupt = try Requests.batch(["x"]).bytes
            corrupt.setInteger(UInt8(0xFF), at: corrupt.writerIndex - 1)
            #expect(try await code(corrupt) == .corruptMessage)
            #expect(try await code(nil) == .invalidRecord)
            #expect(try await code(try Requests.batch(["x"]).bytes, acks: 2) == .invalidRequiredAcks)
            #expect(try await code(try Requests.batch([String(repeating: "x", count: 500)]).bytes) == .messageTooLarge)

            var builder = RecordBatchBuilder(isControl: true)
            builder.append(timestamp: 0, key: ByteBuffer(string: "k"), value: nil)
            #expect(try await code(try builder.finish().bytes) == .invalidRecord)

            var two = try Requests.batch(["x"]).bytes
            two.writeImmutableBuffer(try Requests.batch(["y"]).bytes)
            #expect(try await code(two) == .invalidRecord)

            var legacy = ByteBuffer()
            legacy.writeInteger(Int64(0))
            legacy.writeInteger(Int32(14))
            legacy.writeBytes([UInt8](repeating: 0, count: 14))
            #expect(try await code(legacy) == .invalidRecord)
            let start = try await client.ask(Requests.fetch("t")).only
            #expect(start.highWatermark == 0)
        }
    }

    @Test func oneBadPartitionDoesNotSpoilTheOthers() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.defaultPartitions = 2 }) { broker in
            let client = try await broker.connect()
            let good = try Requests.batch(["x"]).bytes
            let response = try await client.ask(
                ProduceRequest(
                    acks: -1, timeoutMs: 0,
                    topicData: [
                        .init(
                            name: "t",
                            partitionData: [
                                .init(index: 0, records: good), .init(index: 9, records: good),
                                .init(index: 1, records: good),
                            ]),
                        .init(name: "bad name", partitionData: [.init(index: 0, records: good)]),
                    ]))
            #expect(
                response.responses[0].partitionResponses.map(\.errorCode) == [.none, .unknownTopicOrPartition, .none])
            #expect(response.responses[1].partitionResponses.map(\.errorCode) == [.invalidTopicException])
        }
    }

    @Test func aTopicIsCreatedOnFirstUseOnlyIfThatIsAllowed() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.autoCreateTopics = false }) { broker in
            let client = try await broker.connect()
            let refused = try await client.ask(try Requests.produce(["x"], to: "t")).only
            #expect(refused.errorCode == .unknownTopicOrPartition)
            let metadata = try await client.ask(Requests.metadata(["t"]))
            #expect(metadata.topics.first?.errorCode == .unknownTopicOrPartition)
        }
    }

    @Test func clientsMayNotWriteTheOffsetsTopic() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["__consumer_offsets"]))
            let answer = try await client.ask(try Requests.produce(["x"], to: "__consumer_offsets")).only
            #expect(answer.errorCode == .invalidTopicException)
        }
    }

    @Test func aBatchSentAgainGetsItsFirstOffset() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let id = try await client.ask(InitProducerIdRequest(transactionalID: nil)).producerID
            func send(_ sequence: Int32) async throws -> ProduceResponse.PartitionProduceResponse {
                let batch = try Requests.batch(["\(sequence)"], producerID: id, epoch: 0, sequence: sequence)
                return try await client.ask(Requests.produce(batch, to: "t")).only
            }
            for sequence in Int32(0)..<7 { #expect(try await send(sequence).baseOffset == Int64(sequence)) }
            for sequence in Int32(2)..<7 {
                let again = try await send(sequence)
                #expect(again.errorCode == .none && again.baseOffset == Int64(sequence))
            }
            #expect(try await send(1).errorCode == .outOfOrderSequenceNumber)
            #expect(try await send(9).errorCode == .outOfOrderSequenceNumber)
            #expect(try await client.ask(Requests.fetch("t")).values.count == 7)
        }
    }

    @Test func aBatchSentAgainAfterARestartGetsItsFirstOffset() async throws {
        let directory = try TemporaryDirectory()
        func batch(_ sequence: Int32) throws -> EncodedBatch {
            try Requests.batch(["\(sequence)"], producerID: 0, epoch: 0, sequence: sequence)
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            for sequence in Int32(0)..<7 { _ = try await client.ask(Requests.produce(try batch(sequence), to: "t")) }
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            for sequence in Int32(2)..<7 {
                let again = try await client.ask(Requests.produce(try batch(sequence), to: "t")).only
                #expect(again.errorCode == .none && again.baseOffset == Int64(sequence))
            }
            let gap = try await client.ask(Requests.produce(try batch(8), to: "t")).only
            #expect(gap.errorCode == .outOfOrderSequenceNumber)
            let next = try await client.ask(Requests.produce(try batch(7), to: "t")).only
            #expect(next.errorCode == .none && next.baseOffset == 7)
        }
    }
}
