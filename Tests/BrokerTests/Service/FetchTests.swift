import CommitLog
import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

@Suite struct FetchTests {
    @Test func aLongPollIsAnsweredWhenDataArrives() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let consumer = try await broker.connect()
            let producer = try await broker.connect()
            _ = try await consumer.ask(Requests.metadata(["t"]))
            try await consumer.send(Requests.fetch("t", waitMs: 60_000))
            for acks in [Int16(1), -1] {
                _ = try await producer.ask(try Requests.produce(["now"], to: "t", acks: acks))
                let response = try await consumer.answer(to: FetchRequest.self).response
                #expect(try response.values == ["now"])
                try await consumer.send(Requests.fetch("t", from: response.only.highWatermark, waitMs: 60_000))
            }
        }
    }

    @Test func aLongPollWaitsForTheBytesItWants() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let consumer = try await broker.connect()
            let producer = try await broker.connect()
            _ = try await consumer.ask(Requests.metadata(["t"]))
            try await consumer.send(Requests.fetch("t", waitMs: 60_000, minBytes: 3_000))
            let kilobyte = String(repeating: "x", count: 1_000)
            for _ in 0..<2 { _ = try await producer.ask(try Requests.produce([kilobyte], to: "t", acks: 1)) }
            // Nothing can have come: the broker looked twice and found too little.
            #expect(!consumer.hasNews)
            _ = try await producer.ask(try Requests.produce([kilobyte], to: "t", acks: 1))
            #expect(try await consumer.answer(to: FetchRequest.self).response.values.count == 3)
        }
    }

    @Test func aLongPollEndsWhenItsTimeIsUp() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let consumer = try await broker.connect()
            _ = try await consumer.ask(try Requests.produce(["x"], to: "t"))
            let clock = ContinuousClock()
            let begin = clock.now
            let response = try await consumer.ask(Requests.fetch("t", waitMs: 200, minBytes: 100_000))
            #expect(clock.now - begin >= .milliseconds(190))
            #expect(try response.values == ["x"])
        }
    }

    @Test func aLongPollOverSeveralPartitionsIsAnsweredByAnyOfThem() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.defaultPartitions = 3 }) { broker in
            let consumer = try await broker.connect()
            let producer = try await broker.connect()
            _ = try await consumer.ask(Requests.metadata(["t"]))
            for partition in [Int32(2), 0] {
                try await consumer.send(
                    FetchRequest(
                        maxWaitMs: 60_000, minBytes: 1, maxBytes: 1 << 20,
                        topics: [
                            .init(
                                topic: "t",
                                partitions: (0..<3).map {
                                    .init(
                                        partition: $0, fetchOffset: partition == 0 && $0 == 2 ? 1 : 0,
                                        partitionMaxBytes: 1 << 20)
                                })
                        ]))
                _ = try await producer.ask(try Requests.produce(["p\(partition)"], to: "t", partition: partition))
                let response = try await consumer.answer(to: FetchRequest.self).response
                let full = response.responses[0].partitions.filter { ($0.records?.readableBytes ?? 0) > 0 }
                #expect(full.map(\.partitionIndex) == [partition])
            }
        }
    }

    @Test func errorsAreAnsweredAtOnce() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["x"], to: "t"))
            func code(_ request: FetchRequest) async throws -> ErrorCode {
                try await client.ask(request).only.errorCode
            }
            #expect(try await code(Requests.fetch("t", from: 5, waitMs: 60_000)) == .offsetOutOfRange)
            #expect(try await code(Requests.fetch("t", from: -1, waitMs: 60_000)) == .offsetOutOfRange)
            #expect(try await code(Requests.fetch("nix", waitMs: 60_000)) == .unknownTopicOrPartition)
            #expect(try await code(Requests.fetch("t", partition: 7, waitMs: 60_000)) == .unknownTopicOrPartition)
            var old = Requests.fetch("t", waitMs: 60_000)
            old.topics[0].partitions[0].currentLeaderEpoch = 5
            #expect(try await code(old) == .unknownLeaderEpoch)
        }
    }

    @Test func sessionsAreHonestlyRefused() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            var request = Requests.fetch("t")
            request.sessionID = 17
            request.sessionEpoch = 1
            #expect(try await client.ask(request).errorCode == .fetchSessionIDNotFound)
            request.sessionID = 0
            request.sessionEpoch = 0
            #expect(try await client.ask(request).sessionID == 0)
        }
    }

    @Test func limitsCutBetweenBatchesButOneBatchAlwaysComes() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            for index in 0..<10 {
                _ = try await client.ask(
                    try Requests.produce([String(repeating: "\(index)", count: 1_000)], to: "t", acks: 1))
            }
            #expect(try await client.ask(Requests.fetch("t", maxBytes: 10)).values.count == 1)
            #expect(try await client.ask(Requests.fetch("t", maxBytes: 3_500)).values.count == 3)
            #expect(try await client.ask(Requests.fetch("t", from: 7)).values.count == 3)
        }
    }

    @Test(arguments: ["in memory", "on disk", "too much for an event loop"])
    func recordsAreReadWhereverTheyAre(_ place: String) async throws {
        let disk = FaultyFileSystem()
        if place == "on disk" { disk.dropCache() }
        try await withBroker(
            in: TemporaryDirectory(), fileSystem: disk,
            configure: {
                $0.log.segmentBytes = 5_000
                if place == "too much for an event loop" { $0.limits.eventLoopReadBytes = 500 }
            }
        ) { broker in
            let client = try await broker.connect()
            for index in 0..<50 {
                _ = try await client.ask(
                    try Requests.produce(["\(index) " + String(repeating: "x", count: 500)], to: "t", acks: 1))
            }
            var seen: [String] = []
            let before = disk.waitingReads
            while seen.count < 50 {
                let response = try await client.ask(Requests.fetch("t", from: Int64(seen.count), maxBytes: 2_000))
                try #require(response.only.errorCode == .none)
                seen += try response.values.map { String($0.prefix { $0 != " " }) }
            }
            #expect(seen == (0..<50).map { "\($0)" })
            #expect((disk.waitingReads == before) == (place == "in memory"))
        }
    }

    @Test func offsetsAreFoundByTime() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            for time in [Int64(1_000), 2_000, 3_000] {
                let batch = try Requests.batch(["at \(time)"], timestamp: time)
                _ = try await client.ask(Requests.produce(batch, to: "t"))
            }
            func look(_ timestamp: Int64, version: Int16) async throws
                -> ListOffsetsResponse.ListOffsetsPartitionResponse
            {
                let request = ListOffsetsRequest(
                    topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, timestamp: timestamp)])])
                return try #require(try await client.ask(request, version: version).topics.first?.partitions.first)
            }
            for version in Int16(1)...7 {
                #expect(try await look(-1, version: version).offset == 3)
                #expect(try await look(-2, version: version).offset == 0)
                let middle = try await look(1_500, version: version)
                #expect(middle.offset == 1 && middle.timestamp == 2_000)
                #expect(try await look(9_000, version: version).offset == -1)
            }
            #expect(try await look(-3, version: 7).offset == 2)
            #expect(try await look(-1, version: 0).oldStyleOffsets == [3])
            // The beginnings of segments all of whose records are that old.
            #expect(try await look(2_000, version: 0).oldStyleOffsets == [])
            #expect(try await look(9_000, version: 0).oldStyleOffsets == [0])
        }
    }
}
