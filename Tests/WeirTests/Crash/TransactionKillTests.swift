import Glibc
import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

/// Exactly once against `kill -9` at random instants: records are copied from one topic to another in transactions that
/// also commit how far the copying has come.
@Suite("A broker killed under transactions", .serialized)
struct TransactionKillTests {
    private static func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// How often the broker is killed; the same seed makes the same plan.
    private static let kills = setting("WEIR_CRASH_KILLS").flatMap { Int($0) } ?? 10
    private static let seed = setting("WEIR_TEST_SEED").flatMap { UInt64($0) } ?? 20_261_128

    @Test("each record is copied once, in order, whatever was killed when")
    func eachRecordIsCopiedOnce() async throws {
        var random = SeededGenerator(seed: Self.seed)
        let pauses = (0..<Self.kills).map { _ in Int64.random(in: 20...400, using: &random) }
        let weir = try CrashedBroker(port: try freePort())
        try await weir.start()
        let setUp = try await RawClient.connect(port: weir.port)
        let created = try await setUp.ask(
            CreateTopicsRequest(topics: [
                .init(name: CopyLoop.source, numPartitions: 1, replicationFactor: 1),
                .init(
                    name: CopyLoop.target, numPartitions: 1, replicationFactor: 1,
                    configs: [.init(name: "segment.bytes", value: "20000")]),
            ]))
        #expect(created.topics.allSatisfy { $0.errorCode == .none })

        let copy = CopyLoop(port: weir.port, seed: Self.seed)
        async let copying = copy.run()
        for pause in pauses {
            try await Task.sleep(for: .milliseconds(pause))
            weir.kill()
            try await weir.start()
        }
        copy.end()
        let outcome = try await copying
        print("killed \(Self.kills) times (seed \(Self.seed)): \(outcome)")

        let client = try await RawClient.connect(port: weir.port)
        let source = try await CopyLoop.values(of: CopyLoop.source, client)
        let target = try await CopyLoop.values(of: CopyLoop.target, client)
        #expect(target.count == outcome.position)
        #expect(target == Array(source.prefix(Int(outcome.position))))
        #expect(outcome.commits > 0 && outcome.aborts > 0)
    }
}

/// Consume, transform, produce, over sockets and in as few words as the protocol allows. One task runs it.
struct CopyLoop: Sendable {
    static let source = "source"
    static let target = "target"
    private static let group = "copy"
    private static let id = "copier"

    let port: Int
    let seed: UInt64
    private let stop = Stop()

    private final class Stop: Sendable {
        let isSet = Atomic(false)
    }

    struct Outcome: Sendable, CustomStringConvertible {
        var position: Int64 = 0
        var commits = 0
        var aborts = 0
        var sessions = 0

        var description: String {
            "\(position) records copied by \(commits) transactions, \(aborts) aborted on purpose, \(sessions) producers"
        }
    }

    /// A request was refused.
    struct Refused: Error {
        let code: ErrorCode
    }

    init(port: Int, seed: UInt64) {
        self.port = port
        self.seed = seed
    }

    /// Has the loop end once everything is copied.
    func end() { self.stop.isSet.store(true, ordering: .releasing) }

    func run() async throws -> Outcome {
        var random = SeededGenerator(seed: self.seed)
        var outcome = Outcome()
        var session: Session?
        let clock = ContinuousClock()
        var lastSuccess = clock.now
        while true {
            do {
                if session == nil {
                    session = try await Session(port: self.port)
                    outcome.sessions += 1
                }
                guard var current = session else { continue }
                let values = try await current.read(upTo: Int.random(in: 1...8, using: &random))
                if values.isEmpty {
                    if self.stop.isSet.load(ordering: .acquiring) {
                        outcome.position = current.position
                        return outcome
                    }
                    try await current.refill()
                } else {
                    let isCommit = Int.random(in: 0..<5, using: &random) > 0
                    try await current.copy(values, isCommit: isCommit)
                    if isCommit { outcome.commits += 1 } else { outcome.aborts += 1 }
                }
                session = current
                lastSuccess = clock.now
            } catch {
                // The broker was killed, or what it remembers must be asked for again: a new producer begins.
                session = nil
                guard clock.now - lastSuccess < .seconds(60) else { throw error }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    /// One producer and its connection, until something goes wrong.
    struct Session {
        private let client: RawClient
        private let producerID: Int64
        private let epoch: Int16
        private var sequence: Int32 = 0
        private(set) var position: Int64

        /// Begins as the newest producer, where the last committed transaction ended.
        init(port: Int) async throws {
            self.client = try await RawClient.connect(port: port)
            let begun = try await self.client.ask(
                InitProducerIdRequest(transactionalID: CopyLoop.id, transactionTimeoutMs: 30_000))
            guard begun.errorCode == .none else { throw Refused(code: begun.errorCode) }
            (self.producerID, self.epoch) = (begun.producerID, begun.producerEpoch)
            let fetched = try await self.client.ask(
                OffsetFetchRequest(
                    groups: [
                        .init(groupID: CopyLoop.group, topics: [.init(name: CopyLoop.source, partitionIndexes: [0])])
                    ], requireStable: true))
            guard let partition = fetched.groups.first?.topics.first?.partitions.first, partition.errorCode == .none
            else { throw Refused(code: .unstableOffsetCommit) }
            self.position = max(0, partition.committedOffset)
        }

        func read(upTo count: Int) async throws -> [String] {
            let data = try await CopyLoop.fetch(CopyLoop.source, from: self.position, self.client)
            let records = try data.batches.flatMap { try $0.records() }.filter { $0.offset.rawValue >= self.position }
            return records.prefix(count).map { $0.value.map { String(buffer: $0) } ?? "" }
        }

        /// Appends more to the source; how much of it arrives when the broker is killed does not matter.
        func refill() async throws {
            var builder = RecordBatchBuilder()
            for number in self.position..<self.position + 200 {
                builder.append(timestamp: 1_000, key: nil, value: ByteBuffer(string: "record \(number)"))
            }
            try await self.append(try builder.finish(), to: CopyLoop.source)
        }

        mutating func copy(_ values: [String], isCommit: Bool) async throws {
            let added = try await self.client.ask(
                AddPartitionsToTxnRequest(
                    transactionalID: CopyLoop.id, producerID: self.producerID, producerEpoch: self.epoch,
                    topics: [.init(name: CopyLoop.target, partitions: [0])]))
            try Self.require(added.results.first?.results.first?.errorCode)
            var builder = RecordBatchBuilder(
                producerID: self.producerID, producerEpoch: self.epoch, baseSequence: self.sequence,
                isTransactional: true)
            for value in values { builder.append(timestamp: 1_000, key: nil, value: ByteBuffer(string: value)) }
            try await self.append(try builder.finish(), to: CopyLoop.target)
            self.sequence += Int32(values.count)
            try Self.require(
                try await self.client.ask(
                    AddOffsetsToTxnRequest(
                        transactionalID: CopyLoop.id, producerID: self.producerID, producerEpoch: self.epoch,
                        groupID: CopyLoop.group)
                ).errorCode)
            let next = self.position + Int64(values.count)
            let committed = try await self.client.ask(
                TxnOffsetCommitRequest(
                    transactionalID: CopyLoop.id, groupID: CopyLoop.group, producerID: self.producerID,
                    producerEpoch: self.epoch,
                    topics: [
                        .init(name: CopyLoop.source, partitions: [.init(partitionIndex: 0, committedOffset: next)])
                    ]))
            try Self.require(committed.topics.first?.partitions.first?.errorCode)
            try Self.require(
                try await self.client.ask(
                    EndTxnRequest(
                        transactionalID: CopyLoop.id, producerID: self.producerID, producerEpoch: self.epoch,
                        committed: isCommit)
                ).errorCode)
            if isCommit { self.position = next }
        }

        private func append(_ batch: EncodedBatch, to topic: String) async throws {
            let answer = try await self.client.ask(
                ProduceRequest(
                    transactionalID: batch.header.isTransactional ? CopyLoop.id : nil, acks: -1, timeoutMs: 1_000,
                    topicData: [.init(name: topic, partitionData: [.init(index: 0, records: batch.bytes)])]))
            try Self.require(answer.responses.first?.partitionResponses.first?.errorCode)
        }

        private static func require(_ code: ErrorCode?) throws {
            guard code == ErrorCode.none else { throw Refused(code: code ?? .unknownServerError) }
        }
    }

    // MARK: Reading what was committed

    /// Batches from `offset` on without those that were aborted; markers are among them.
    ///
    /// - Returns: the batches, and where to go on; that is `offset` at the end.
    static func fetch(
        _ topic: String, from offset: Int64, _ client: RawClient
    ) async throws -> (batches: [EncodedBatch], next: Int64) {
        var next = offset
        let answer = try await client.ask(
            FetchRequest(
                maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: IsolationLevel.readCommitted.rawValue,
                topics: [
                    .init(
                        topic: topic,
                        partitions: [.init(partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20)])
                ]))
        guard let data = answer.responses.first?.partitions.first, data.errorCode == .none, let bytes = data.records
        else { throw Refused(code: answer.responses.first?.partitions.first?.errorCode ?? .unknownServerError) }
        // As a client does it: a producer's records are left out from where its transaction begins up to its marker.
        var waiting = (data.abortedTransactions ?? []).sorted { $0.firstOffset < $1.firstOffset }[...]
        var aborted: Set<Int64> = []
        var batches: [EncodedBatch] = []
        for batch in try EncodedBatch.split(bytes).whole {
            let header = batch.header
            next = header.nextOffset.rawValue
            while let first = waiting.first, first.firstOffset <= header.lastOffset.rawValue {
                aborted.insert(first.producerID)
                waiting = waiting.dropFirst()
            }
            if header.isControl {
                aborted.remove(header.producerID)
            } else if header.isTransactional, aborted.contains(header.producerID) {
                continue
            }
            batches.append(batch)
        }
        return (batches, next)
    }

    static func values(of topic: String, _ client: RawClient) async throws -> [String] {
        var values: [String] = []
        var next: Int64 = 0
        while true {
            let found = try await Self.fetch(topic, from: next, client)
            if found.next == next { return values }
            for batch in found.batches where !batch.header.isControl {
                values += try batch.records().map { $0.value.map { String(buffer: $0) } ?? "" }
            }
            next = found.next
        }
    }
}
