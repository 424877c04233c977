import CommitLog
import Glibc
import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

/// A disk that fills up: who is refused, what goes on, what is said, and that it ends by itself.
@Suite struct FullDiskTests {
    private let clock = HeldClock()
    private let disk = FaultyFileSystem()

    private func withBrokerOnIt(
        _ configure: (inout BrokerConfiguration) -> Void = { _ in },
        _ body: (RunningTestBroker, RawClient) async throws -> Void
    ) async throws {
        try await withBroker(
            in: TemporaryDirectory(), fileSystem: self.disk, clock: self.clock.clock, configure: configure
        ) { broker in
            try await body(broker, try await broker.connect())
        }
    }

    private func produce(_ client: RawClient, _ value: String) async throws -> ProduceResponse.PartitionProduceResponse
    {
        let batch = try Requests.batch([value], timestamp: self.clock.clock.wallMilliseconds())
        return try await client.ask(Requests.produce(batch, to: "t")).only
    }

    private func commit(_ client: RawClient) async throws -> ErrorCode? {
        try await client.ask(
            OffsetCommitRequest(
                groupID: "g", generationIdOrMemberEpoch: -1,
                topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: 1)])])
        ).topics.first?.partitions.first?.errorCode
    }

    @Test func recordsAreRefusedBeforeTheDiskIsFullAndTheRestGoesOn() async throws {
        try await self.withBrokerOnIt { broker, client in
            #expect(try await self.produce(client, "before").errorCode == ErrorCode.none)
            self.disk.pretend(FileSystemSpace(total: 1 << 30, usable: 9 << 20))
            try await eventually("records are refused") {
                try await self.produce(client, "during").errorCode == .kafkaStorageError
            }
            let refused = try await self.produce(client, "during")
            let path = try #require(broker.service.node).configuration.dataDirectory
            #expect(
                refused.errorMessage
                    == "\(path): the disk has 9437184 bytes free, and 16777216 are kept free; free some disk space")
            #expect(try await self.commit(client) == ErrorCode.none)
            let first = try await client.ask(Requests.fetch("t")).values
            #expect(first.first == "before")

            for _ in 0..<50 { #expect(try await self.produce(client, "during").errorCode == .kafkaStorageError) }
            #expect(broker.log.matching("records are refused until").count == 1)
            #expect(broker.log.matching("more batches were refused").isEmpty)
            self.clock.advance(.seconds(61))
            #expect(try await self.produce(client, "during").errorCode == .kafkaStorageError)
            #expect(broker.log.matching("more batches were refused").count == 1)

            // Barely more than what is kept free does not end it.
            self.disk.pretend(FileSystemSpace(total: 1 << 30, usable: 17 << 20))
            #expect(try await self.produce(client, "during").errorCode == .kafkaStorageError)
            self.disk.pretend(FileSystemSpace(total: 1 << 30, usable: 21 << 20))
            try await eventually("records are taken again") {
                try await self.produce(client, "after").errorCode == ErrorCode.none
            }
            #expect(broker.log.matching("22020096 bytes are free again").count == 1)
            #expect(broker.service.statistics.lowSpaceRefusals >= 53)
            #expect(broker.service.statistics.failedWrites == 0)
        }
    }

    @Test func muchThatIsWrittenIsNoticedBeforeTheNextLook() async throws {
        self.disk.pretend(FileSystemSpace(total: 1 << 30, usable: 17 << 20))
        try await self.withBrokerOnIt { _, client in
            #expect(try await self.produce(client, "x").errorCode == ErrorCode.none)
            self.disk.pretend(FileSystemSpace(total: 1 << 30, usable: 15 << 20))
            // Half of what was above the reserve.
            var taken = 0
            while try await self.produce(client, String(repeating: "x", count: 60_000)).errorCode == ErrorCode.none {
                taken += 1
            }
            #expect(taken <= 9)
        }
    }

    @Test func retentionMakesRoomAtOnce() async throws {
        try await self.withBrokerOnIt({ $0.log.segmentBytes = 100 }) { broker, client in
            for value in ["a", "b"] { #expect(try await self.produce(client, value).errorCode == ErrorCode.none) }
            let housekeeper = try #require(broker.service.node).housekeeper
            let before = housekeeper.timesDone(.retention)
            self.disk.pretend(FileSystemSpace(total: 1 << 30, usable: 9 << 20))
            // The clock stands still, so no look is due.
            try await eventually("it looked") { housekeeper.timesDone(.retention) > before }
        }
    }

    @Test func aWriteThatFailsSaysWhereAndHowMuchIsFreeAndIsSaidOnce() async throws {
        try await self.withBrokerOnIt { broker, client in
            #expect(try await self.produce(client, "before").errorCode == ErrorCode.none)
            self.disk.failWrites(ENOSPC)
            for _ in 0..<20 {
                let refused = try await self.produce(client, "during")
                #expect(refused.errorCode == .kafkaStorageError)
                #expect(refused.errorMessage?.contains("/t-0/00000000000000000000.log: No space left") == true)
                #expect(refused.errorMessage?.hasSuffix(" bytes are free") == true)
            }
            #expect(broker.log.matching("t-0: a batch could not be written").count == 1)
            self.clock.advance(.seconds(70))
            _ = try await self.produce(client, "during")
            #expect(broker.log.matching("20 more batches could not be written").count == 1)
            self.disk.heal()
            #expect(try await self.produce(client, "after").errorCode == ErrorCode.none)
            #expect(broker.log.matching("batches are written again").isEmpty)
            self.clock.advance(.seconds(11))
            #expect(try await self.produce(client, "after").errorCode == ErrorCode.none)
            #expect(broker.log.matching("batches are written again; 21 could not be").count == 1)
            #expect(broker.service.statistics.failedWrites == 21)
        }
    }

    @Test func aFencedPartitionDoesNotHideThatOthersWork() async throws {
        try await self.withBrokerOnIt { broker, client in
            #expect(try await self.produce(client, "safe").errorCode == ErrorCode.none)
            #expect(try await client.ask(try Requests.produce(["u"], to: "u")).only.errorCode == ErrorCode.none)
            self.disk.failSyncs(EIO)
            #expect(try await self.produce(client, "lost").errorCode == .kafkaStorageError)
            self.disk.heal()
            for _ in 0..<20 {
                let fenced = try await self.produce(client, "late")
                #expect(fenced.errorCode == .kafkaStorageError)
                #expect(fenced.errorMessage?.contains("takes no more writes because a sync failed") == true)
                #expect(try await client.ask(try Requests.produce(["u"], to: "u")).only.errorCode == ErrorCode.none)
            }
            #expect(broker.log.matching("critical: t-0").count == 1)
            #expect(broker.log.matching("error: t-0").count == 1)
            #expect(try await client.ask(Requests.fetch("t")).values == ["safe"])
        }
    }
}
