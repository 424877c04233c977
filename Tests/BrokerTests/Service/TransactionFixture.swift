import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// A transactional producer of few words, over a socket.
final class TestProducer {
    let client: RawClient
    let id: String
    var identity = ProducerIdentity.none
    private var sequences: [PartitionName: Int32] = [:]

    init(_ broker: RunningTestBroker, id: String) async throws {
        self.client = try await broker.connect()
        self.id = id
    }

    /// Begins again as the newest producer of its id; waits until an older one's transaction is gone.
    @discardableResult
    func initialize(timeout: Int32 = 60_000) async throws -> ErrorCode {
        var code = ErrorCode.concurrentTransactions
        try await eventually("the transactional id is free") {
            let answer = try await self.client.ask(
                InitProducerIdRequest(transactionalID: self.id, transactionTimeoutMs: timeout))
            code = answer.errorCode
            if code == .none {
                self.identity = ProducerIdentity(producerID: answer.producerID, epoch: answer.producerEpoch)
                self.sequences = [:]
            }
            return code != .concurrentTransactions
        }
        return code
    }

    func add(_ topic: String, partition: Int32 = 0, version: Int16 = 3) async throws -> ErrorCode? {
        try await self.client.ask(
            AddPartitionsToTxnRequest(
                transactionalID: self.id, producerID: self.identity.producerID, producerEpoch: self.identity.epoch,
                topics: [.init(name: topic, partitions: [partition])]), version: version
        ).results.first?.results.first?.errorCode
    }

    func produce(_ values: [String], to topic: String, partition: Int32 = 0) async throws -> ErrorCode {
        let name = PartitionName(topic: topic, partition: partition)
        let sequence = self.sequences[name] ?? 0
        var builder = RecordBatchBuilder(
            producerID: self.identity.producerID, producerEpoch: self.identity.epoch, baseSequence: sequence,
            isTransactional: true)
        // Markers have the broker's time, and records from long before would not be in the same segment.
        let now = BrokerClock.system.wallMilliseconds()
        for value in values { builder.append(timestamp: now, key: nil, value: ByteBuffer(string: value)) }
        var request = Requests.produce(try builder.finish(), to: topic, partition: partition)
        request.transactionalID = self.id
        let code = try await self.client.ask(request).only.errorCode
        if code == .none { self.sequences[name] = sequence + Int32(values.count) }
        return code
    }

    /// Adds the partition and writes to it.
    func write(_ values: [String], to topic: String, partition: Int32 = 0) async throws {
        #expect(try await self.add(topic, partition: partition) == ErrorCode.none)
        #expect(try await self.produce(values, to: topic, partition: partition) == .none)
    }

    func addOffsets(of group: String) async throws -> ErrorCode {
        try await self.client.ask(
            AddOffsetsToTxnRequest(
                transactionalID: self.id, producerID: self.identity.producerID, producerEpoch: self.identity.epoch,
                groupID: group)
        ).errorCode
    }

    func commit(_ offset: Int64, of topic: String, group: String) async throws -> ErrorCode? {
        try await self.client.ask(
            TxnOffsetCommitRequest(
                transactionalID: self.id, groupID: group, producerID: self.identity.producerID,
                producerEpoch: self.identity.epoch,
                topics: [.init(name: topic, partitions: [.init(partitionIndex: 0, committedOffset: offset)])])
        ).topics.first?.partitions.first?.errorCode
    }

    func end(isCommit: Bool, version: Int16 = 3) async throws -> ErrorCode {
        try await self.client.ask(
            EndTxnRequest(
                transactionalID: self.id, producerID: self.identity.producerID, producerEpoch: self.identity.epoch,
                committed: isCommit), version: version
        ).errorCode
    }
}

extension RawClient {
    /// What a consumer reads of a partition, from `offset` to as far as it may, leaving out what was aborted as a client does.
    func committedValues(_ topic: String, from offset: Int64 = 0) async throws -> [String] {
        var values: [String] = []
        var next = offset
        while true {
            var request = Requests.fetch(topic, from: next)
            request.isolationLevel = IsolationLevel.readCommitted.rawValue
            let data = try await self.ask(request).only
            guard data.errorCode == .none, let bytes = data.records, bytes.readableBytes > 0 else { return values }
            var waiting = try #require(data.abortedTransactions).sorted { $0.firstOffset < $1.firstOffset }[...]
            var aborted: Set<Int64> = []
            for batch in try EncodedBatch.split(bytes).whole {
                let header = batch.header
                while let first = waiting.first, first.firstOffset <= header.lastOffset.rawValue {
                    aborted.insert(first.producerID)
                    waiting = waiting.dropFirst()
                }
                next = header.nextOffset.rawValue
                if header.isControl {
                    let key = try #require(try batch.records().first?.key)
                    if try ControlRecordKey(versioned: key).type == 0 { aborted.remove(header.producerID) }
                } else if !(header.isTransactional && aborted.contains(header.producerID)) {
                    values += try batch.records().filter { $0.offset.rawValue >= offset }
                        .map { $0.value.map { String(buffer: $0) } ?? "" }
                }
            }
        }
    }

    /// The answer to one fetch.
    func fetch(
        _ topic: String, from offset: Int64 = 0, isolation: IsolationLevel
    ) async throws -> FetchResponse.PartitionData {
        var request = Requests.fetch(topic, from: offset)
        request.isolationLevel = isolation.rawValue
        return try await self.ask(request).only
    }

    func latestOffset(_ topic: String, isolation: IsolationLevel) async throws -> Int64? {
        try await self.ask(
            ListOffsetsRequest(
                isolationLevel: isolation.rawValue,
                topics: [.init(name: topic, partitions: [.init(partitionIndex: 0, timestamp: -1)])])
        ).topics.first?.partitions.first?.offset
    }

    func committedOffset(
        of topic: String, group: String, requireStable: Bool = true
    ) async throws -> (offset: Int64, code: ErrorCode) {
        let answer = try await self.ask(
            OffsetFetchRequest(
                groups: [.init(groupID: group, topics: [.init(name: topic, partitionIndexes: [0])])],
                requireStable: requireStable))
        let partition = try #require(answer.groups.first?.topics.first?.partitions.first)
        return (partition.committedOffset, partition.errorCode)
    }
}
