import CommitLog
import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// What the broker does to logs without anybody asking, by a clock that the test holds.
@Suite struct HousekeepingTests {
    private let clock = HeldClock()

    private func withSmallSegments(
        _ body: (RunningTestBroker, RawClient) async throws -> Void
    ) async throws {
        try await withBroker(
            in: TemporaryDirectory(), clock: self.clock.clock, configure: { $0.log.segmentBytes = 250 }
        ) { broker in
            try await body(broker, try await broker.connect())
        }
    }

    private func create(_ client: RawClient, _ configs: [String: String], topic: String = "t") async throws {
        let answer = try await client.ask(
            CreateTopicsRequest(topics: [
                .init(
                    name: topic, numPartitions: 1, replicationFactor: 1,
                    configs: configs.map { .init(name: $0.key, value: $0.value) })
            ]))
        #expect(answer.topics.map(\.errorCode) == [ErrorCode.none])
    }

    private func alter(_ client: RawClient, _ name: String, _ value: String) async throws {
        let answer = try await client.ask(
            IncrementalAlterConfigsRequest(
                resources: [
                    .init(
                        resourceType: 2, resourceName: "t",
                        configs: [.init(name: name, configOperation: ConfigOperation.set.rawValue, value: value)])
                ]))
        #expect(answer.responses.map(\.errorCode) == [ErrorCode.none])
    }

    /// One record per segment, with the clock's time.
    private func produce(
        _ client: RawClient, _ values: [String], key: String? = nil, acks: Int16 = -1
    ) async throws {
        for value in values {
            let batch = try Requests.batch(
                [value + String(repeating: ".", count: 100)], key: key,
                timestamp: self.clock.clock.wallMilliseconds())
            #expect(try await client.ask(Requests.produce(batch, to: "t", acks: acks)).only.errorCode == ErrorCode.none)
        }
    }

    private func values(_ client: RawClient, from offset: Int64) async throws -> [String] {
        var values: [String] = []
        var next = offset
        while true {
            // A fetch reads one segment at most.
            let answer = try await client.ask(Requests.fetch("t", from: next))
            values += try answer.values.map { String($0.prefix { $0 != "." }) }
            guard next < answer.only.highWatermark, let records = answer.only.records else { return values }
            next = try #require(try EncodedBatch.split(records).whole.last).header.nextOffset.rawValue
        }
    }

    private func logStart(_ client: RawClient) async throws -> Int64 {
        try await client.ask(
            ListOffsetsRequest(topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, timestamp: -2)])])
        ).topics.first?.partitions.first?.offset ?? -1
    }

    /// Moves the clock, and waits until the housekeeper has done this chore since.
    private func letTimePass(
        _ time: TimeAmount, until chore: Housekeeper.Chore, _ broker: RunningTestBroker
    ) async throws {
        let housekeeper = try #require(broker.service.node).housekeeper
        let before = housekeeper.timesDone(chore)
        self.clock.advance(time)
        try await eventually("\(chore) was done") { housekeeper.timesDone(chore) > before }
    }

    @Test func segmentsGoWhenTheirNewestRecordIsTooOld() async throws {
        try await self.withSmallSegments { broker, client in
            try await self.create(client, ["retention.ms": "3600000"])
            try await self.produce(client, ["a", "b"])
            self.clock.advance(.minutes(50))
            try await self.produce(client, ["c"])
            self.clock.advance(.minutes(11))
            try await eventually("the first two are gone") { try await self.logStart(client) == 2 }
            #expect(try await self.values(client, from: 2) == ["c"])
            self.clock.advance(.minutes(50))
            try await eventually("all are gone, though nothing was appended") {
                try await self.logStart(client) == 3
            }
            try await eventually("they are counted") { broker.service.statistics.expiredSegments == 3 }
            #expect(broker.log.matching("t-0: retention removed").count == 2)
            try await self.produce(client, ["d"])
            #expect(try await self.values(client, from: 3) == ["d"])
        }
    }

    @Test func aSettingThatIsAlteredTakesEffectAtTheNextLook() async throws {
        try await self.withSmallSegments { broker, client in
            try await self.create(client, ["retention.ms": "-1"])
            try await self.produce(client, ["a", "b", "c", "d"])
            try await self.letTimePass(.hours(1_000), until: .retention, broker)
            #expect(try await self.logStart(client) == 0)
            try await self.alter(client, "retention.bytes", "300")
            self.clock.advance(.minutes(5))
            try await eventually("two segments are left") { try await self.logStart(client) == 2 }
        }
    }

    @Test func aCompactedTopicKeepsTheLastRecordOfEachKey() async throws {
        try await self.withSmallSegments { broker, client in
            try await self.create(client, ["cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01"])
            for (key, value) in [("k", "1"), ("l", "1"), ("k", "2"), ("l", "2"), ("k", "3")] {
                try await self.produce(client, [value], key: key)
            }
            let keyless = try await client.ask(try Requests.produce(["x"], to: "t")).only
            #expect(keyless.errorCode == .invalidRecord)
            #expect(keyless.errorMessage?.contains("have no key") == true)
            self.clock.advance(.seconds(15))
            // The last segment is open and so not compacted.
            try await eventually("superseded records are gone") {
                try await self.values(client, from: 0) == ["2", "2", "3"]
            }
            try await eventually("it is counted") { broker.service.statistics.compactedBytes > 0 }
            // Age does not matter.
            try await self.letTimePass(.hours(1_000), until: .retention, broker)
            #expect(try await self.logStart(client) == 0)
        }
    }

    @Test func tombstonesGoFromALogThatGetsNothingNew() async throws {
        try await self.withSmallSegments { _, client in
            try await self.create(
                client,
                [
                    "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "120000",
                    "max.compaction.lag.ms": "60000",
                ])
            try await self.produce(client, ["1"], key: "k")
            var tombstone = RecordBatchBuilder()
            tombstone.append(
                timestamp: self.clock.clock.wallMilliseconds(), key: ByteBuffer(string: "k"), value: nil as ByteBuffer?)
            let answer = try await client.ask(Requests.produce(try tombstone.finish(), to: "t"))
            #expect(answer.only.errorCode == ErrorCode.none)
            // Its age closes the segment with the tombstone.
            self.clock.advance(.minutes(2))
            try await eventually("the value is gone, the tombstone is there") {
                try await self.values(client, from: 0) == [""]
            }
            self.clock.advance(.minutes(3))
            try await eventually("the tombstone is gone") { try await self.values(client, from: 0) == [] }
            #expect(try await client.ask(Requests.fetch("t")).only.highWatermark == 2)
        }
    }

    @Test func aTopicIsDeletedAlsoWhileItIsCompacted() async throws {
        try await self.withSmallSegments { broker, client in
            for _ in 0..<20 {
                try await self.create(client, ["cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0"])
                for number in 0..<6 { try await self.produce(client, ["\(number)"], key: "k") }
                self.clock.advance(.seconds(15))
                let answer = try await client.ask(
                    DeleteTopicsRequest(topicNames: ["t"]), version: 5)
                #expect(answer.responses.map(\.errorCode) == [ErrorCode.none])
            }
            #expect(broker.log.matching("error").isEmpty)
        }
    }

    @Test func flushMessagesAndFlushMsSyncWhatNobodyWaitsFor() async throws {
        let disk = FaultyFileSystem()
        try await withBroker(in: TemporaryDirectory(), fileSystem: disk, clock: self.clock.clock) { broker in
            let client = try await broker.connect()
            try await self.create(client, ["flush.messages": "3"])
            let before = disk.syncs
            try await self.produce(client, ["a", "b"], acks: 1)
            try await self.letTimePass(.minutes(1), until: .syncing, broker)
            #expect(disk.syncs == before)
            try await self.produce(client, ["c"], acks: 1)
            // With the log's first sync its checkpoint of leader epochs is synced, too.
            try await eventually("three records are synced") { disk.syncs == before + 2 }
            try await self.alter(client, "flush.messages", "1000")
            try await self.alter(client, "flush.ms", "5000")
            let altered = disk.syncs
            try await self.produce(client, ["d"], acks: 1)
            try await self.letTimePass(.seconds(2), until: .syncing, broker)
            #expect(disk.syncs == altered)
            try await self.letTimePass(.seconds(6), until: .syncing, broker)
            try await eventually("the record is synced") { disk.syncs == altered + 1 }
        }
    }
}
