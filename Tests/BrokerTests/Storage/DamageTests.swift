import CommitLog
import FoundationEssentials
import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// Bits that flip and files that end early, in every kind of file that a broker has, between two of its lives: what is
/// served is what was written, and what is missing is said.
@Suite struct DamageTests {
    private static let values = (0..<12).map { "record \($0) " + String(repeating: "x", count: 90) }

    /// What a broker serves.
    private struct Served: Equatable {
        var records: [Int64: String] = [:]
        var committed: Int64 = -1
        var topicID = TopicID.zero
        var clusterID: String?
        var producerID: Int64 = -1
    }

    private func configure(_ configuration: inout BrokerConfiguration) {
        // Three batches in a segment, with an index entry for nearly every one.
        configuration.log.segmentBytes = 600
        configuration.log.indexIntervalBytes = 100
        configuration.groups.offsetsPartitions = 1
    }

    private func fill(_ directory: TemporaryDirectory) async throws {
        try await withBroker(in: directory, configure: self.configure) { broker in
            let client = try await broker.connect()
            for (number, value) in Self.values.enumerated() {
                let batch = try Requests.batch([value], timestamp: 1_700_000_000_000 + Int64(number))
                #expect(try await client.ask(Requests.produce(batch, to: "t")).only.errorCode == ErrorCode.none)
            }
            for offset in [Int64(1), 2, 3] {
                let answer = try await client.ask(
                    OffsetCommitRequest(
                        groupID: "g", generationIdOrMemberEpoch: -1,
                        topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: offset)])]))
                #expect(answer.topics.first?.partitions.map(\.errorCode) == [ErrorCode.none])
            }
            _ = try await client.ask(InitProducerIdRequest(transactionalID: nil, transactionTimeoutMs: 1_000))
            let deleted = try await client.ask(
                DeleteRecordsRequest(topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, offset: 1)])]))
            #expect(deleted.topics.first?.partitions.first?.lowWatermark == 1)
        }
    }

    private func served(by broker: RunningTestBroker) async throws -> Served {
        let client = try await broker.connect()
        var served = Served()
        let metadata = try await client.ask(Requests.metadata(["t"], create: false))
        served.clusterID = metadata.clusterID
        served.topicID = metadata.topics.first?.topicID ?? .zero
        let earliest = try await client.ask(
            ListOffsetsRequest(topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, timestamp: -2)])]))
        var next = earliest.topics.first?.partitions.first?.offset ?? 0
        while true {
            let answer = try await client.ask(Requests.fetch("t", from: next)).only
            guard answer.errorCode == ErrorCode.none, let bytes = answer.records, bytes.readableBytes > 0 else { break }
            // Throws if a batch is not intact.
            for batch in try EncodedBatch.split(bytes).whole {
                for record in try batch.records() where record.offset.rawValue >= next {
                    served.records[record.offset.rawValue] = record.value.map { String(buffer: $0) } ?? ""
                }
                next = batch.header.nextOffset.rawValue
            }
        }
        let offsets = try await client.ask(
            OffsetFetchRequest(groups: [.init(groupID: "g", topics: [.init(name: "t", partitionIndexes: [0])])]))
        served.committed = offsets.groups.first?.topics.first?.partitions.first?.committedOffset ?? -1
        served.producerID = try await client.ask(
            InitProducerIdRequest(transactionalID: nil, transactionTimeoutMs: 1_000)
        ).producerID
        return served
    }

    /// All files that hold something, but for the lock.
    private func files(in directory: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: directory).sorted().filter { path in
            guard path != FileLock.name, let content = FileManager.default.contents(atPath: "\(directory)/\(path)")
            else { return false }
            return !content.isEmpty
        }
    }

    /// Some of a file's bits, spread over it, and ends at which it is cut off.
    private static func damages(of bytes: [UInt8]) -> [(what: String, bytes: [UInt8])] {
        var damages: [(String, [UInt8])] = []
        let count = bytes.count
        for share in 0..<8 {
            var damaged = bytes
            let position = (count - 1) * share / 7
            damaged[position] ^= 1 << UInt8((share * 5 + 2) % 8)
            damages.append(("bit \((share * 5 + 2) % 8) of byte \(position) flipped", damaged))
        }
        for end in Set([0, count / 3, count / 2, count * 2 / 3, count - 1]).sorted() {
            damages.append(("cut off after \(end) of \(count) bytes", Array(bytes[..<end])))
        }
        return damages
    }

    @Test func whatIsServedIsWhatWasWrittenAndWhatIsMissingIsSaid() async throws {
        let original = try TemporaryDirectory()
        try await self.fill(original)
        let truth = try TemporaryDirectory()
        try Self.copy(original, to: truth)
        let whole = try await withBroker(in: truth, configure: self.configure) { try await self.served(by: $0) }
        #expect(whole.records.count == Self.values.count - 1 && whole.committed == 3)

        let files = try self.files(in: original.appending("data"))
        for kind in [".log", ".index", ".timeindex", "catalogue", "producer-ids", "recovery-point"] {
            #expect(files.contains { $0.hasSuffix(kind) }, "\(kind)")
        }
        for file in files {
            let bytes = Array(try Data(contentsOf: URL(filePath: original.appending("data/\(file)"))))
            for (what, damaged) in Self.damages(of: bytes) {
                try await self.check(file, what, damaged, original, whole)
            }
        }
    }

    private func check(
        _ file: String, _ what: String, _ damaged: [UInt8], _ original: TemporaryDirectory, _ whole: Served
    ) async throws {
        let directory = try TemporaryDirectory()
        try Self.copy(original, to: directory)
        try Data(damaged).write(to: URL(filePath: directory.appending("data/\(file)")))
        let log = LogLines()
        let served: Served
        do {
            served = try await withBroker(in: directory, log: log, configure: self.configure) {
                try await self.served(by: $0)
            }
        } catch let error as BrokerError {
            #expect(error.description.contains(file), "\(file), \(what): \(error)")
            return
        }
        let said = log.all.contains { line in
            ["warning", "error", "critical"].contains { line.hasPrefix($0) }
        }
        for (offset, value) in served.records {
            // A lost log start offset brings back what was deleted, which is said.
            let isKnown = whole.records[offset] == value || (offset == 0 && value == Self.values[0] && said)
            #expect(isKnown, "\(file), \(what): offset \(offset) has \(value)")
        }
        let isComplete = whole.records.allSatisfy { served.records[$0.key] != nil }
        #expect(isComplete || said, "\(file), \(what): \(served.records.keys.sorted()) of records, and nothing said")
        #expect([whole.committed, 1, 2, -1].contains(served.committed), "\(file), \(what)")
        #expect(served.committed == whole.committed || said, "\(file), \(what): committed \(served.committed)")
        #expect(served.topicID == whole.topicID && served.clusterID == whole.clusterID, "\(file), \(what)")
        #expect(served.producerID >= whole.producerID, "\(file), \(what)")
    }

    @Test func damageThatAReaderFindsIsCutOutAtTheNextStart() async throws {
        let directory = try TemporaryDirectory()
        try await self.fill(directory)
        let path = directory.appending("data/t-0/00000000000000000003.log")
        var bytes = Array(try Data(contentsOf: URL(filePath: path)))
        bytes[80] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
        try await withBroker(in: directory, configure: self.configure) { broker in
            let client = try await broker.connect()
            for _ in 0..<3 {
                let answer = try await client.ask(Requests.fetch("t", from: 3)).only
                #expect(answer.errorCode == .kafkaStorageError)
            }
            #expect(try await client.ask(Requests.fetch("t", from: 4)).values == [Self.values[4], Self.values[5]])
            #expect(broker.log.matching("t-0: offset 3 cannot be read").count == 1)
        }
        try await withBroker(in: directory, configure: self.configure) { broker in
            #expect(broker.log.matching("warning: t-0: cut").count == 1)
            let client = try await broker.connect()
            #expect(try await client.ask(Requests.fetch("t", from: 3)).values.first == Self.values[4])
        }
    }

    private static func copy(_ directory: TemporaryDirectory, to other: TemporaryDirectory) throws {
        try FileManager.default.copyItem(atPath: directory.appending("data"), toPath: other.appending("data"))
    }
}
