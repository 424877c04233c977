import CommitLog
import Glibc
import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// What acks=all promises, with a disk that a test controls.
@Suite struct DurabilityTests {
    @Test func acksAllWaitsForTheSyncAndConsumersSeeNothingBefore() async throws {
        let disk = FaultyFileSystem()
        try await withBroker(in: TemporaryDirectory(), fileSystem: disk) { broker in
            let producer = try await broker.connect()
            let consumer = try await broker.connect()
            _ = try await producer.ask(Requests.metadata(["t"]))
            disk.holdSyncs()
            let before = disk.syncs
            try await producer.send(try Requests.produce(["durable"], to: "t"))
            try await eventually("a sync has begun") { disk.syncs > before }
            let early = try await consumer.ask(Requests.fetch("t"))
            #expect(early.only.highWatermark == 0)
            #expect(try early.values == [])
            #expect(!producer.hasNews)
            disk.heal()
            #expect(try await producer.answer(to: ProduceRequest.self).response.only.errorCode == .none)
            #expect(try await consumer.ask(Requests.fetch("t")).values == ["durable"])
        }
    }

    @Test func oneSyncServesAllThatWait() async throws {
        let disk = FaultyFileSystem()
        try await withBroker(in: TemporaryDirectory(), fileSystem: disk) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["first"], to: "t"))
            disk.holdSyncs()
            let before = disk.syncs
            for index in 0..<40 { try await client.send(try Requests.produce(["\(index)"], to: "t"), version: 9) }
            try await eventually("all have been appended") {
                broker.service.statistics.producedRecords == 41
            }
            disk.heal()
            for index in 0..<40 {
                let answer = try await client.answer(to: ProduceRequest.self).response
                #expect(answer.only.baseOffset == Int64(index + 1))
            }
            // One that was held up, one for all that came meanwhile.
            #expect(disk.syncs - before == 2)
        }
    }

    @Test func acksOneAndThePageCachePolicyDoNotWait() async throws {
        let disk = FaultyFileSystem()
        try await withBroker(in: TemporaryDirectory(), fileSystem: disk) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            disk.holdSyncs()
            #expect(try await client.ask(try Requests.produce(["x"], to: "t", acks: 1)).only.errorCode == .none)
            disk.heal()
        }
        try await withBroker(
            in: TemporaryDirectory(), fileSystem: disk,
            configure: {
                $0.durability = .pageCache
            }
        ) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            disk.holdSyncs()
            #expect(try await client.ask(try Requests.produce(["x"], to: "t")).only.errorCode == .none)
            #expect(try await client.ask(Requests.fetch("t")).values == ["x"])
            disk.heal()
        }
    }

    @Test func aFailedSyncIsToldAndFencesThePartition() async throws {
        let disk = FaultyFileSystem()
        try await withBroker(in: TemporaryDirectory(), fileSystem: disk) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["safe"], to: "t"))
            disk.failSyncs(EIO)
            #expect(try await client.ask(try Requests.produce(["lost"], to: "t")).only.errorCode == .kafkaStorageError)
            disk.heal()
            #expect(try await client.ask(try Requests.produce(["late"], to: "t")).only.errorCode == .kafkaStorageError)
            #expect(try await client.ask(Requests.fetch("t")).values == ["safe"])
            #expect(broker.log.matching("critical: t-0").count == 1)
        }
    }

    @Test func aFullDiskIsToldAndOverWhenThereIsRoomAgain() async throws {
        let disk = FaultyFileSystem()
        try await withBroker(in: TemporaryDirectory(), fileSystem: disk) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["before"], to: "t"))
            disk.failWrites(ENOSPC)
            let refused = try await client.ask(try Requests.produce(["during"], to: "t")).only
            #expect(refused.errorCode == .kafkaStorageError)
            #expect(refused.errorMessage?.contains("free some disk space") == true)
            #expect(try await client.ask(Requests.fetch("t")).values == ["before"])
            disk.heal()
            #expect(try await client.ask(try Requests.produce(["after"], to: "t")).only.errorCode == .none)
            #expect(try await client.ask(Requests.fetch("t")).values == ["before", "after"])
        }
    }
}
