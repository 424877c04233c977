import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

@testable import Broker

/// Transactions over sockets: what producers are answered, and what consumers see.
@Suite struct TransactionTests {
    private static func producer(
        _ broker: RunningTestBroker, id: String = "tx", topic: String = "t"
    ) async throws -> TestProducer {
        let producer = try await TestProducer(broker, id: id)
        _ = try await producer.client.ask(Requests.metadata([topic]))
        #expect(try await producer.initialize() == .none)
        return producer
    }

    @Test func consumersOfCommittedRecordsSeeWholeTransactionsOnly() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let producer = try await Self.producer(broker)
            let consumer = try await broker.connect()
            _ = try await consumer.ask(try Requests.produce(["before"], to: "t"))
            try await producer.write(["a", "b"], to: "t")
            _ = try await consumer.ask(try Requests.produce(["after"], to: "t"))

            let open = try await consumer.fetch("t", isolation: .readUncommitted)
            #expect(open.lastStableOffset == 1 && open.highWatermark == 4)
            #expect(open.abortedTransactions == nil)
            #expect(try await consumer.ask(Requests.fetch("t", from: 1)).values == ["a", "b", "after"])
            #expect(try await consumer.committedValues("t") == ["before"])
            #expect(try await consumer.latestOffset("t", isolation: .readCommitted) == 1)
            #expect(try await consumer.latestOffset("t", isolation: .readUncommitted) == 4)

            #expect(try await producer.end(isCommit: true) == .none)
            #expect(try await consumer.committedValues("t") == ["before", "a", "b", "after"])
            #expect(try await consumer.latestOffset("t", isolation: .readCommitted) == 5)

            try await producer.write(["lost"], to: "t")
            #expect(try await producer.end(isCommit: false) == .none)
            try await producer.write(["kept"], to: "t")
            #expect(try await producer.end(isCommit: true) == .none)
            let all = try await consumer.fetch("t", from: 1, isolation: .readCommitted)
            #expect(all.abortedTransactions?.map(\.firstOffset) == [5])
            #expect(all.abortedTransactions?.map(\.producerID) == [producer.identity.producerID])
            #expect(try await consumer.committedValues("t") == ["before", "a", "b", "after", "kept"])
            // Behind the abort nothing of it is told.
            #expect(try await consumer.fetch("t", from: 7, isolation: .readCommitted).abortedTransactions == [])
        }
    }

    @Test func aWaitingConsumerWakesWhenTheTransactionEnds() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let producer = try await Self.producer(broker)
            let consumer = try await broker.connect()
            try await producer.write(["a"], to: "t")
            var request = Requests.fetch("t", waitMs: 20_000)
            request.isolationLevel = IsolationLevel.readCommitted.rawValue
            try await consumer.send(request)
            #expect(try await producer.produce(["b"], to: "t") == .none)
            #expect(!consumer.hasNews)
            #expect(try await producer.end(isCommit: true) == .none)
            let answer = try await consumer.answer(to: FetchRequest.self).response
            #expect(answer.only.lastStableOffset == 3)
            #expect(try EncodedBatch.split(#require(answer.only.records)).whole.count == 3)
        }
    }

    @Test func onlyPartitionsOfTheTransactionTakeItsRecords() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.defaultPartitions = 2 }) { broker in
            let producer = try await Self.producer(broker)
            #expect(try await producer.produce(["x"], to: "t") == .invalidTxnState)
            #expect(try await producer.add("t", partition: 1) == ErrorCode.none)
            #expect(try await producer.produce(["x"], to: "t") == .invalidTxnState)
            #expect(try await producer.produce(["x"], to: "t", partition: 1) == .none)
            #expect(try await producer.end(isCommit: true) == .none)
            // Too late.
            #expect(try await producer.produce(["x"], to: "t", partition: 1) == .invalidTxnState)
            // A plain batch of a producer with an open transaction.
            try await producer.write(["y"], to: "t", partition: 1)
            let plain = try Requests.batch(
                ["z"], producerID: producer.identity.producerID, epoch: producer.identity.epoch, sequence: 2)
            let answer = try await producer.client.ask(Requests.produce(plain, to: "t", partition: 1))
            #expect(answer.only.errorCode == .invalidTxnState)
        }
    }

    @Test func partitionsThatDoNotExistAreRefusedWithAllOthers() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let producer = try await Self.producer(broker)
            let answer = try await producer.client.ask(
                AddPartitionsToTxnRequest(
                    transactionalID: "tx", producerID: producer.identity.producerID,
                    producerEpoch: producer.identity.epoch,
                    topics: [.init(name: "t", partitions: [0, 7]), .init(name: "nix", partitions: [0])]))
            #expect(
                answer.results.map { $0.results.map(\.errorCode) } == [
                    [.operationNotAttempted, .unknownTopicOrPartition], [.unknownTopicOrPartition],
                ])
            #expect(try await producer.produce(["x"], to: "t") == .invalidTxnState)
        }
    }

    @Test func aPartitionWithoutRecordsHoldsNoTransactionUp() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let producer = try await Self.producer(broker)
            #expect(try await producer.add("t") == ErrorCode.none)
            #expect(try await producer.end(isCommit: true) == .none)
            let described = try await producer.client.ask(DescribeTransactionsRequest(transactionalIDs: ["tx"]))
            #expect(described.transactionStates.map(\.transactionState) == ["CompleteCommit"])
            try await producer.write(["a"], to: "t")
            #expect(try await producer.end(isCommit: true) == .none)
            #expect(try await producer.client.committedValues("t", from: 1) == ["a"])
        }
    }

    @Test func aZombieIsFencedInTheWordsOfItsVersion() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let zombie = try await Self.producer(broker)
            try await zombie.write(["lost"], to: "t")
            let producer = try await Self.producer(broker)
            #expect(producer.identity.producerID == zombie.identity.producerID)
            #expect(producer.identity.epoch > zombie.identity.epoch)
            #expect(try await zombie.produce(["x"], to: "t") == .invalidProducerEpoch)
            #expect(try await zombie.add("t") == .producerFenced)
            #expect(try await zombie.add("t", version: 1) == .invalidProducerEpoch)
            #expect(try await zombie.end(isCommit: true) == .producerFenced)
            #expect(try await zombie.end(isCommit: true, version: 0) == .invalidProducerEpoch)
            #expect(try await zombie.addOffsets(of: "g") == .producerFenced)
            try await producer.write(["kept"], to: "t")
            #expect(try await producer.end(isCommit: true) == .none)
            #expect(try await producer.client.committedValues("t") == ["kept"])
        }
    }

    @Test func whatAProducerMayAskForIsChecked() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            func code(_ request: InitProducerIdRequest) async throws -> ErrorCode {
                try await client.ask(request).errorCode
            }
            #expect(try await code(.init(transactionalID: "", transactionTimeoutMs: 1)) == .invalidRequest)
            #expect(try await code(.init(transactionalID: "x")) == .invalidTransactionTimeout)
            let tooLong = InitProducerIdRequest(transactionalID: "x", transactionTimeoutMs: 900_001)
            #expect(try await code(tooLong) == .invalidTransactionTimeout)
            let half = InitProducerIdRequest(transactionalID: "x", transactionTimeoutMs: 1, producerID: 5)
            #expect(try await code(half) == .invalidRequest)
            let end = EndTxnRequest(transactionalID: "unknown", producerID: 1, producerEpoch: 0, committed: true)
            #expect(try await client.ask(end).errorCode == .invalidProducerIDMapping)
        }
    }

    @Test func aSilentTransactionIsAborted() async throws {
        let skew = Atomic<Int64>(0)
        let clock = BrokerClock(
            now: { .now() },
            wallMilliseconds: { BrokerClock.system.wallMilliseconds() + skew.load(ordering: .relaxed) })
        try await withBroker(
            in: TemporaryDirectory(), clock: clock, configure: { $0.transactions.checkInterval = .milliseconds(20) }
        ) { broker in
            let producer = try await Self.producer(broker)
            try await producer.write(["lost"], to: "t")
            skew.store(60_001, ordering: .relaxed)
            let consumer = try await broker.connect()
            try await eventually("the transaction is aborted") {
                try await consumer.latestOffset("t", isolation: .readCommitted) == 2
            }
            #expect(try await consumer.committedValues("t") == [])
            #expect(try await producer.produce(["x"], to: "t") == .invalidProducerEpoch)
            #expect(try await producer.end(isCommit: true) == .producerFenced)
        }
    }

    @Test func offsetsCountWhenTheirTransactionIsCommitted() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory) { broker in
            let producer = try await Self.producer(broker)
            let client = producer.client
            #expect(try await producer.commit(3, of: "t", group: "g") == .invalidTxnState)
            #expect(try await producer.addOffsets(of: "g") == .none)
            #expect(try await producer.commit(3, of: "t", group: "g") == ErrorCode.none)
            #expect(try await client.committedOffset(of: "t", group: "g") == (-1, .unstableOffsetCommit))
            #expect(try await client.committedOffset(of: "t", group: "g", requireStable: false) == (-1, .none))
            #expect(try await producer.end(isCommit: true) == .none)
            #expect(try await client.committedOffset(of: "t", group: "g") == (3, .none))

            #expect(try await producer.addOffsets(of: "g") == .none)
            #expect(try await producer.commit(9, of: "t", group: "g") == ErrorCode.none)
            #expect(try await producer.end(isCommit: false) == .none)
            #expect(try await client.committedOffset(of: "t", group: "g") == (3, .none))

            // A commit outside the transaction that comes later counts, whatever becomes of the transaction.
            #expect(try await producer.addOffsets(of: "g") == .none)
            #expect(try await producer.commit(11, of: "t", group: "g") == ErrorCode.none)
            _ = try await client.ask(
                OffsetCommitRequest(
                    groupID: "g",
                    topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: 20)])]))
            #expect(try await producer.end(isCommit: true) == .none)
            #expect(try await client.committedOffset(of: "t", group: "g") == (20, .none))
            // Left open over the restart.
            #expect(try await producer.addOffsets(of: "h") == .none)
            #expect(try await producer.commit(5, of: "t", group: "h") == ErrorCode.none)
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            #expect(try await client.committedOffset(of: "t", group: "g") == (20, .none))
            #expect(try await client.committedOffset(of: "t", group: "h") == (-1, .unstableOffsetCommit))
            _ = try await Self.producer(broker)
            #expect(try await client.committedOffset(of: "t", group: "h") == (-1, .none))
        }
    }

    @Test func rewritingTheOffsetsTopicKeepsWhatTransactionsCommit() async throws {
        let directory = try TemporaryDirectory()
        func configure(_ configuration: inout BrokerConfiguration) { configuration.limits.offsetsTopicBytes = 1_000 }
        try await withBroker(in: directory, configure: configure) { broker in
            let producer = try await Self.producer(broker)
            #expect(try await producer.addOffsets(of: "g") == .none)
            #expect(try await producer.commit(5, of: "t", group: "g") == ErrorCode.none)
            for offset in Int64(0)..<1_100 {
                _ = try await producer.client.ask(
                    OffsetCommitRequest(
                        groupID: "other",
                        topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: offset)])]))
            }
        }
        try await withBroker(in: directory, configure: configure) { broker in
            let client = try await broker.connect()
            #expect(try await client.committedOffset(of: "t", group: "g") == (-1, .unstableOffsetCommit))
            #expect(try await client.committedOffset(of: "t", group: "other") == (1_099, .none))
            let listed = try await client.ask(ListTransactionsRequest()).transactionStates
            let id = try #require(listed.first?.producerID)
            let end = EndTxnRequest(transactionalID: "tx", producerID: id, producerEpoch: 0, committed: true)
            #expect(try await client.ask(end).errorCode == .none)
            #expect(try await client.committedOffset(of: "t", group: "g") == (5, .none))
        }
    }

    @Test func transactionsGoOnAfterARestart() async throws {
        let directory = try TemporaryDirectory()
        var identity = ProducerIdentity.none
        try await withBroker(in: directory) { broker in
            let producer = try await Self.producer(broker)
            try await producer.write(["a"], to: "t")
            #expect(try await producer.end(isCommit: false) == .none)
            try await producer.write(["b"], to: "t")
            identity = producer.identity
        }
        try await withBroker(in: directory) { broker in
            let producer = try await TestProducer(broker, id: "tx")
            producer.identity = identity
            let consumer = try await broker.connect()
            #expect(try await consumer.fetch("t", isolation: .readCommitted).lastStableOffset == 2)
            #expect(try await producer.end(isCommit: true) == .none)
            #expect(try await consumer.committedValues("t") == ["b"])
            #expect(try await producer.initialize() == .none)
            #expect(producer.identity.producerID == identity.producerID)
            #expect(producer.identity.epoch == identity.epoch + 1)
        }
    }

    @Test func transactionsAreDescribed() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let producer = try await Self.producer(broker)
            let client = producer.client
            try await producer.write(["a"], to: "t")
            let described = try await client.ask(
                DescribeTransactionsRequest(transactionalIDs: ["tx", "nix"])
            ).transactionStates
            #expect(described.map(\.errorCode) == [.none, .transactionalIDNotFound])
            #expect(described[0].transactionState == "Ongoing")
            #expect(described[0].topics == [.init(topic: "t", partitions: [0])])
            #expect(described[0].transactionTimeoutMs == 60_000)
            func listed(_ states: [String]) async throws -> [String] {
                try await client.ask(ListTransactionsRequest(stateFilters: states)).transactionStates
                    .map(\.transactionalID)
            }
            #expect(try await listed([]) == ["tx"])
            #expect(try await listed(["Empty"]) == [])
            #expect(
                try await client.ask(ListTransactionsRequest(stateFilters: ["Odd"])).unknownStateFilters == ["Odd"])
            let producers = try await client.ask(
                DescribeProducersRequest(topics: [.init(name: "t", partitionIndexes: [0, 5])])
            ).topics[0].partitions
            #expect(producers.map(\.errorCode) == [.none, .unknownTopicOrPartition])
            #expect(producers[0].activeProducers.map(\.producerID) == [producer.identity.producerID])
            #expect(producers[0].activeProducers.map(\.currentTxnStartOffset) == [0])
            #expect(producers[0].activeProducers.map(\.lastSequence) == [0])
        }
    }

    @Test func thereAreAsManyTransactionalIDsAsTheLimitSays() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.transactionalIDs = 1 }) { broker in
            _ = try await Self.producer(broker, id: "one")
            let second = try await TestProducer(broker, id: "two")
            #expect(try await second.initialize() == .policyViolation)
            #expect(!broker.log.matching("limit of 1 is reached").isEmpty)
        }
    }

    @Test func recordsDeletedWithinATransactionHoldNothingUp() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let producer = try await Self.producer(broker)
            try await producer.write(["a", "b"], to: "t")
            _ = try await producer.client.ask(
                DeleteRecordsRequest(topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, offset: 1)])]))
            #expect(try await producer.client.fetch("t", from: 1, isolation: .readCommitted).lastStableOffset == 1)
            #expect(try await producer.end(isCommit: false) == .none)
            #expect(try await producer.client.committedValues("t", from: 1) == [])
            #expect(try await producer.client.latestOffset("t", isolation: .readCommitted) == 3)
        }
    }
}
