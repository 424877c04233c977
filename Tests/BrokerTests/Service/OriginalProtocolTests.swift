import CommitLog
import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// Clients from before record batches (Kafka 0.8 to 0.10).
@Suite struct OriginalProtocolTests {
    private static func messages(_ response: FetchResponse) throws -> [Record] {
        try LegacyMessageSet.records(in: response.only.records ?? ByteBuffer())
    }

    private static func values(_ records: [Record]) -> [String] {
        records.map { $0.value.map { String(buffer: $0) } ?? "" }
    }

    @Test func messageSetsBecomeBatchesAndBatchesMessageSets() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            for (version, format) in [(Int16(0), LegacyMessageFormat.v0), (1, .v0), (2, .v1)] {
                let request = try Requests.legacyProduce(["a\(version)", "b\(version)"], to: "t", format: format)
                let answer = try await client.ask(request, version: version).only
                #expect(answer.errorCode == .none && answer.baseOffset == Int64(version) * 2)
            }
            let all = ["a0", "b0", "a1", "b1", "a2", "b2"]
            #expect(try await client.ask(Requests.fetch("t")).values == all)
            for version in Int16(0)...3 {
                let records = try Self.messages(try await client.ask(Requests.fetch("t"), version: version))
                #expect(Self.values(records) == all)
                #expect(records.map(\.offset.rawValue) == [0, 1, 2, 3, 4, 5])
                #expect(records.map(\.timestamp).last == (version >= 2 ? 1_000 : -1))
                let rest = try await client.ask(Requests.fetch("t", from: 3), version: version)
                #expect(Self.values(try Self.messages(rest)) == ["b1", "a2", "b2"])
            }
        }
    }

    @Test func oldConsumersReadInPiecesWhatNewProducersCompressed() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let values = (0..<300).map { "\($0) " + String(repeating: "x", count: 1_000) }
            for codec in [CompressionCodec.gzip, .snappy, .lz4] {
                let batch = try Requests.batch(values, codec: codec)
                _ = try await client.ask(Requests.produce(batch, to: "t"))
            }
            var found: [String] = []
            var answers = 0
            while found.count < 900 {
                let next = Int64(found.count)
                let answer = try await client.ask(Requests.fetch("t", from: next, maxBytes: 50_000), version: 2)
                #expect((answer.only.records?.readableBytes ?? 0) <= 50_000)
                let records = try Self.messages(answer)
                #expect(records.first?.offset.rawValue == next)
                found += Self.values(records)
                answers += 1
            }
            #expect(found == values + values + values)
            #expect(answers > 18)
        }
    }

    @Test func zstdIsRefusedToOldConsumersWithoutWaiting() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.produce(try Requests.batch(["x"], codec: .zstd), to: "t"))
            for version in Int16(0)...3 {
                let answer = try await client.ask(Requests.fetch("t", waitMs: 60_000), version: version).only
                #expect(answer.errorCode == .unsupportedCompressionType)
            }
        }
    }

    @Test func aLongPollOfTheOriginalProtocolIsAnsweredWhenDataArrives() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let consumer = try await broker.connect()
            let producer = try await broker.connect()
            _ = try await consumer.ask(Requests.metadata(["t"]))
            try await consumer.send(Requests.fetch("t", waitMs: 60_000), version: 0)
            _ = try await producer.ask(try Requests.legacyProduce(["now"], to: "t"), version: 0)
            let answer = try await consumer.answer(to: FetchRequest.self, version: 0).response
            #expect(Self.values(try Self.messages(answer)) == ["now"])
        }
    }

    @Test func damagedMessageSetsAreRefused() async throws {
        try await withBroker(
            in: TemporaryDirectory(),
            configure: {
                $0.limits.decompressedBytes = 2_000; $0.limits.batchBytes = 1_000
            }
        ) { broker in
            let client = try await broker.connect()
            func code(_ request: ProduceRequest) async throws -> ErrorCode {
                try await client.ask(request, version: 1).only.errorCode
            }
            var corrupt = try Requests.legacyProduce(["x"], to: "t")
            corrupt.topicData[0].partitionData[0].records?.setInteger(UInt8(0xFF), at: 26)
            #expect(try await code(corrupt) == .corruptMessage)
            let big = String(repeating: "x", count: 1_000)
            #expect(try await code(try Requests.legacyProduce([big], to: "t")) == .messageTooLarge)
            #expect(try await code(try Requests.legacyProduce([big, big], to: "t")) == .messageTooLarge)

            var newer = try Requests.legacyProduce(["x"], to: "t")
            #expect(try await client.ask(newer, version: 3).only.errorCode == .invalidRecord)
            newer.topicData[0].partitionData[0].records = ByteBuffer()
            let empty = try await client.ask(newer, version: 2).only
            #expect(empty.errorCode == .none && empty.baseOffset == -1)
            let batch = Requests.produce(try Requests.batch(["x"]), to: "t")
            #expect(try await client.ask(batch, version: 2).only.errorCode == .none)
        }
    }

    @Test func offsetsAreListedTheOldWayByWhereSegmentsBegin() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.log.segmentBytes = 4_096 }) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["empty"]))
            // Three batches of one record, the last of which does not fit into the first's segment.
            for (time, size) in [(Int64(1_000), 10), (2_000, 10), (3_000, 4_000)] {
                let value = String(repeating: "x", count: size)
                _ = try await client.ask(Requests.produce(try Requests.batch([value], timestamp: time), to: "t"))
            }
            func offsets(_ timestamp: Int64, at most: Int32 = 10, of topic: String = "t") async throws -> [Int64]? {
                let request = ListOffsetsRequest(topics: [
                    .init(
                        name: topic,
                        partitions: [.init(partitionIndex: 0, timestamp: timestamp, maxNumOffsets: most)])
                ])
                return try await client.ask(request, version: 0).topics.first?.partitions.first?.oldStyleOffsets
            }
            #expect(try await offsets(-1) == [3, 2, 0])
            #expect(try await offsets(-1, at: 2) == [3, 2])
            #expect(try await offsets(-2) == [0])
            // By time: segments that hold nothing later.
            #expect(try await offsets(1_500) == [])
            #expect(try await offsets(2_000) == [0])
            #expect(try await offsets(3_000) == [2, 0])
            #expect(try await offsets(.max) == [3, 2, 0])
            #expect(try await offsets(-1, of: "empty") == [0])
            // A segment begins where the log does.
            _ = try await client.ask(
                DeleteRecordsRequest(topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, offset: 1)])]))
            #expect(try await offsets(-1) == [3, 2, 1])
            #expect(try await offsets(-2) == [1])
        }
    }
}
