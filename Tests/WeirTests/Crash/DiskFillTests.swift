import FoundationEssentials
import Glibc
import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

/// A small file system that really is full, again and again. `scripts/crash fill` mounts one and runs it; without that
/// there is nothing to fill.
@Suite("A disk that is filled", .serialized, .enabled(if: getenv("WEIR_CRASH_DISK") != nil))
struct DiskFillTests {
    private static func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    private static let times = setting("WEIR_CRASH_FILLS").flatMap { Int($0) } ?? 6
    private static let reserve = 4 << 20

    /// How room comes back.
    private enum Relief: CaseIterable {
        case deleteRecords, deleteTopic, retention
    }

    @Test("reads and commits go on while it is full, and writes once there is room")
    func itGoesOn() async throws {
        let disk = try #require(Self.setting("WEIR_CRASH_DISK"))
        let weir = try CrashedBroker(
            port: try freePort(), dataDirectory: "\(disk)/data",
            ["--min-free-space", "\(Self.reserve >> 20)MiB", "--retention-check", "100ms"])
        try await weir.start()
        var refusals = 0
        for time in 0..<Self.times {
            let filling = DiskFilling(port: weir.port, topic: "fill\(time)")
            try await filling.createTopic()
            refusals += try await filling.fill(expecting: disk)
            try await filling.readEverything()
            try await filling.commitOffset(time)
            // Every third time something else takes the room that is kept free, too.
            let ballast = "\(disk)/ballast"
            if time % 3 == 2 {
                try Self.fillUp(ballast)
                try await filling.readEverything()
                if time % 2 == 0 {
                    weir.kill()
                    try await weir.start()
                    try await filling.readEverything()
                }
                unlink(ballast)
            }
            switch Relief.allCases[time % Relief.allCases.count] {
            case .deleteRecords: try await filling.deleteRecords()
            case .deleteTopic: try await filling.deleteTopic()
            case .retention: try await filling.shortenRetention()
            }
            try await eventually("records are taken again: \(weir.log.suffix(2_000))") {
                try await filling.produce(to: "after") == nil
            }
            try await filling.emptyTopic()
            print("fill \(time + 1) of \(Self.times): full after \(filling.summary)")
        }
        print("filled \(Self.times) times; \(refusals) batches refused; all that was acknowledged was read")
        let lines = weir.log.split(separator: "\n")
        #expect(lines.count { $0.contains("records are refused until") } <= 2 * Self.times)
        #expect(lines.count { $0.contains("bytes are free again") } >= Self.times - Self.times / 6)
    }

    /// Writes zeros until there is no room.
    private static func fillUp(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw TestKitError.systemCall("open \(path)", errno) }
        defer { close(descriptor) }
        let zeros = [UInt8](repeating: 0, count: 4_096)
        while write(descriptor, zeros, zeros.count) > 0 {}
        guard errno == ENOSPC else { throw TestKitError.systemCall("write \(path)", errno) }
    }
}

/// One filling of the disk. One task uses it.
private final class DiskFilling {
    private let port: Int
    private let topic: String
    private var acknowledged: [Int64: CrashRecord] = [:]
    private var end: Int64 = 0
    private var client: RawClient?

    init(port: Int, topic: String) {
        self.port = port
        self.topic = topic
    }

    var summary: String { "\(self.acknowledged.count) records" }

    private func ask<Request: KafkaRequest>(
        _ request: Request, version: Int16 = Request.supportedVersions.upperBound
    ) async throws -> Request.Response {
        do {
            if self.client == nil { self.client = try await RawClient.connect(port: self.port) }
            guard let client else { throw TestKitError.process("there is no connection") }
            return try await client.ask(request, version: version)
        } catch {
            // The broker may have been killed.
            self.client = nil
            return try await RawClient.connect(port: self.port).ask(request, version: version)
        }
    }

    func createTopic() async throws {
        let answer = try await self.ask(
            CreateTopicsRequest(topics: [
                .init(
                    name: self.topic, numPartitions: 1, replicationFactor: 1,
                    configs: [.init(name: "segment.bytes", value: "2000000")])
            ]))
        #expect(answer.topics.map(\.errorCode) == [ErrorCode.none])
    }

    /// - Returns: why the records were refused; nil if they were taken.
    func produce(to topic: String, records: [CrashRecord] = [CrashRecord(source: "after", number: 1)]) async throws
        -> (code: ErrorCode, reason: String)?
    {
        var builder = RecordBatchBuilder()
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        for record in records {
            builder.append(
                timestamp: Int64(now.tv_sec) * 1_000, key: nil, value: ByteBuffer(string: record.value))
        }
        let answer = try await self.ask(
            ProduceRequest(
                acks: -1, timeoutMs: 1_000,
                topicData: [
                    .init(name: topic, partitionData: [.init(index: 0, records: try builder.finish().bytes)])
                ])
        ).responses.first?.partitionResponses.first
        guard let answer, answer.errorCode == .none else {
            return (answer?.errorCode ?? .unknownServerError, answer?.errorMessage ?? "")
        }
        if topic == self.topic {
            for (index, record) in records.enumerated() {
                self.acknowledged[answer.baseOffset + Int64(index)] = record
            }
            self.end = answer.baseOffset + Int64(records.count)
        }
        return nil
    }

    /// Writes until records are refused, and then some more.
    ///
    /// - Returns: how many batches were refused.
    func fill(expecting disk: String) async throws -> Int {
        var number = 0
        var refusals = 0
        while refusals < 20 {
            let records = (0..<200).map { CrashRecord(source: self.topic, number: number + $0) }
            number += records.count
            guard let refusal = try await self.produce(to: self.topic, records: records) else {
                #expect(refusals == 0, "refused and then taken, with nothing freed")
                continue
            }
            refusals += 1
            #expect(refusal.code == .kafkaStorageError)
            #expect(refusal.reason.contains(disk) && refusal.reason.contains(" free"), "\(refusal.reason)")
        }
        return refusals
    }

    func readEverything() async throws {
        let client = try await RawClient.connect(port: self.port)
        let held = try await CrashLoad.readAll(client, CrashLedger.Place(topic: self.topic, partition: 0))
        #expect(Dictionary(uniqueKeysWithValues: held.map { ($0.offset, $0.record) }) == self.acknowledged)
    }

    func commitOffset(_ offset: Int) async throws {
        let answer = try await self.ask(
            OffsetCommitRequest(
                groupID: "g", generationIdOrMemberEpoch: -1,
                topics: [
                    .init(
                        name: self.topic, partitions: [.init(partitionIndex: 0, committedOffset: Int64(offset))])
                ]))
        #expect(answer.topics.first?.partitions.map(\.errorCode) == [ErrorCode.none])
    }

    func deleteRecords() async throws {
        let answer = try await self.ask(
            DeleteRecordsRequest(
                topics: [.init(name: self.topic, partitions: [.init(partitionIndex: 0, offset: self.end * 9 / 10)])]))
        #expect(answer.topics.first?.partitions.map(\.errorCode) == [ErrorCode.none])
    }

    func deleteTopic() async throws {
        let answer = try await self.ask(DeleteTopicsRequest(topicNames: [self.topic]), version: 5)
        #expect(answer.responses.map(\.errorCode) == [ErrorCode.none])
    }

    func shortenRetention() async throws {
        let answer = try await self.ask(
            IncrementalAlterConfigsRequest(
                resources: [
                    .init(
                        resourceType: ConfigResourceType.topic.rawValue, resourceName: self.topic,
                        configs: [
                            .init(
                                name: "retention.bytes", configOperation: ConfigOperation.set.rawValue,
                                value: "4000000")
                        ])
                ]))
        #expect(answer.responses.map(\.errorCode) == [ErrorCode.none])
    }

    /// Makes way for the next filling.
    func emptyTopic() async throws {
        _ = try await self.ask(DeleteTopicsRequest(topicNames: [self.topic]), version: 5)
    }
}
