import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

@testable import KafkaClient

/// A transactional producer in a cluster whose coordinators move, forget and refuse.
@Suite struct TransactionalProducerTests {
    private func withProducer(
        brokers: Int = 1, _ body: (FakeCluster, Cluster, TransactionalProducer) async throws -> Void
    ) async throws {
        let fake = try await FakeCluster.start(topics: ["t": 2, "u": 1], brokers: brokers)
        let cluster = Cluster(configuration: .local(port: fake.port), logger: LogLines().logger)
        let producer = TransactionalProducer(cluster: cluster, transactionalID: "id")
        do {
            try await producer.initialize()
            try await body(fake, cluster, producer)
        } catch {
            await producer.close()
            cluster.close()
            await fake.stop()
            throw error
        }
        await producer.close()
        cluster.close()
        await fake.stop()
    }

    private func message(_ value: String, _ name: String = "t", _ index: Int32 = 0) throws -> ProducerMessage {
        ProducerMessage(topic: try topic(name), partition: PartitionIndex(index), value: bytes(value))
    }

    private func transaction(_ fake: FakeCluster) throws -> FakeTransaction {
        try #require(fake.state.withLock { $0.transactions["id"] })
    }

    @Test func whatWasSentIsWrittenBeforeItIsCommitted() async throws {
        try await withProducer { fake, _, producer in
            try producer.begin()
            for value in 0..<10 { _ = try await producer.enqueue(try message("\(value)")) }
            _ = try await producer.send(try message("u", "u"))
            try await producer.commit()
            #expect(try fake.values("t") == (0..<10).map(String.init))
            #expect(try fake.values("u") == ["u"])
            let state = try transaction(fake)
            #expect(state.outcomes == [true])
            // Each partition is added once.
            #expect(state.additions.reduce(0) { $0 + $1.count } == 2)
            let target = try partition("t")
            let headers = fake.state.withLock { $0.logs[target]?.batches.map(\.header) ?? [] }
            #expect(!headers.isEmpty)
            #expect(headers.allSatisfy { $0.isTransactional && $0.producerID == state.producerID })
            // The next transaction goes on with the sequence.
            try await producer.transaction { _ = try await producer.enqueue(try message("10")) }
            #expect(try fake.values("t").last == "10")
            #expect(try transaction(fake).outcomes == [true, true])
        }
    }

    @Test func emptyTransactionTellsNobody() async throws {
        try await withProducer { fake, _, producer in
            try await producer.transaction {}
            try producer.begin()
            try await producer.abort()
            #expect(fake.broker?.count(.endTxn) == 0)
        }
    }

    @Test func offsetsAreCommittedWithTheTransactionOnly() async throws {
        try await withProducer { fake, _, producer in
            let target = try partition("t")
            let group = GroupMetadata(group: "g", generation: 3, memberID: "m")
            try producer.begin()
            try await producer.sendOffsets([target: 5], group: group)
            #expect(fake.state.withLock { $0.committed.isEmpty })
            try await producer.abort()
            try producer.begin()
            try await producer.sendOffsets([target: 6], group: group)
            try await producer.sendOffsets([target: 7], group: group)
            try await producer.commit()
            #expect(fake.state.withLock { $0.committed } == [target: 7])
            #expect(try transaction(fake).members == ["m", "m", "m"])
            #expect(fake.broker?.count(.addOffsetsToTxn) == 2)
        }
    }

    @Test func thrownOutMemberCannotCommitItsOffsets() async throws {
        try await withProducer { fake, _, producer in
            fake.state.withLock { $0.transactionFaults[.txnOffsetCommit] = [.refuse(.illegalGeneration)] }
            try producer.begin()
            let offsets = [try partition("t"): Offset(5)]
            await #expect {
                try await producer.sendOffsets(offsets, group: GroupMetadata(group: "g", generation: 1, memberID: "m"))
            } throws: { error in
                guard case TransactionError.mustAbort(let cause) = error else { return false }
                return cause.code == .illegalGeneration
            }
            await #expect(throws: TransactionError.self) { try await producer.commit() }
            try await producer.abort()
            #expect(try transaction(fake).outcomes == [false])
            try await producer.transaction { _ = try await producer.enqueue(try message("next")) }
            #expect(try fake.values("t") == ["next"])
        }
    }

    @Test func coordinatorThatMovesForgetsAndIsBusyIsWaitedFor() async throws {
        try await withProducer(brokers: 2) { fake, _, producer in
            try producer.begin()
            fake.state.withLock { state in
                state.transactionFaults[.addPartitionsToTxn] = [
                    .refuse(.concurrentTransactions), .loseAnswer, .refuse(.coordinatorLoadInProgress),
                ]
                state.transactionFaults[.endTxn] = [.loseRequest, .refuse(.notCoordinator), .loseAnswer]
            }
            _ = try await producer.send(try message("a"))
            fake.state.withLock { $0.coordinator = 2 }
            try await producer.commit()
            #expect(try fake.values("t") == ["a"])
            #expect(try transaction(fake).outcomes == [true])
        }
    }

    @Test func coordinatorThatCannotBeFoundYetIsAskedForAgain() async throws {
        try await withProducer { fake, cluster, _ in
            fake.state.withLock {
                $0.groupFaults[.findCoordinator] = [.coordinatorNotAvailable, .coordinatorLoadInProgress]
            }
            let other = TransactionalProducer(cluster: cluster, transactionalID: "other")
            try await other.initialize()
            #expect(fake.state.withLock { $0.groupFaults[.findCoordinator] } == [])
            fake.state.withLock { $0.groupFaults[.findCoordinator] = [.transactionalIDAuthorizationFailed] }
            let refused = TransactionalProducer(cluster: cluster, transactionalID: "refused")
            await #expect {
                try await refused.initialize()
            } throws: { error in
                guard case TransactionError.terminal(let cause) = error else { return false }
                return cause.code == .transactionalIDAuthorizationFailed
            }
            await other.close()
            await refused.close()
        }
    }

    @Test func secondProducerFencesTheFirst() async throws {
        try await withProducer { fake, cluster, first in
            try first.begin()
            _ = try await first.send(try message("zombie"))
            let second = TransactionalProducer(cluster: cluster, transactionalID: "id")
            try await second.initialize()
            #expect(try transaction(fake).outcomes == [false])
            await #expect {
                try await first.commit()
            } throws: { error in
                guard case TransactionError.fenced("id", let cause) = error else { return false }
                return cause.code == .producerFenced
            }
            // For good.
            #expect(throws: TransactionError.self) { try first.begin() }
            await #expect(throws: TransactionError.self) { try await first.abort() }
            await #expect(throws: TransactionError.self) { _ = try await first.enqueue(try message("x")) }
            try await second.transaction { _ = try await second.enqueue(try message("heir")) }
            #expect(try fake.values("t") == ["zombie", "heir"])
            await second.close()
        }
    }

    @Test func brokenSequenceIsAbortedAndTheNextEpochGoesOn() async throws {
        try await withProducer { fake, _, producer in
            try await producer.transaction { _ = try await producer.enqueue(try message("a")) }
            try producer.begin()
            fake.state.withLock { $0.faults = [.refuse(.outOfOrderSequenceNumber)] }
            await #expect(throws: KafkaClientError.self) { _ = try await producer.send(try message("b")) }
            await #expect {
                _ = try await producer.enqueue(try message("c", "u"))
            } throws: { error in
                guard case TransactionError.mustAbort(let cause) = error else { return false }
                return cause.code == .outOfOrderSequenceNumber
            }
            await #expect(throws: TransactionError.self) { try await producer.commit() }
            try await producer.abort()
            let state = try transaction(fake)
            #expect(state.outcomes == [true, false] && state.epoch == 1)
            try await producer.transaction { _ = try await producer.enqueue(try message("d")) }
            #expect(try fake.values("t") == ["a", "d"])
            let target = try partition("t")
            let last = try #require(fake.state.withLock { $0.logs[target]?.batches.last?.header })
            #expect(last.producerEpoch == 1 && last.baseSequence == 0)
        }
    }

    @Test func recordThatIsRefusedAbortsWithoutANewEpoch() async throws {
        try await withProducer { fake, _, producer in
            fake.state.withLock { $0.faults = [.refuse(.invalidRecord)] }
            await #expect {
                try await producer.transaction { _ = try await producer.enqueue(try message("bad")) }
            } throws: { error in
                guard case TransactionError.mustAbort(let cause) = error else { return false }
                return cause.code == .invalidRecord
            }
            #expect(try transaction(fake).outcomes == [false])
            try await producer.transaction { _ = try await producer.enqueue(try message("good")) }
            #expect(try transaction(fake).epoch == 0)
            #expect(try fake.values("t") == ["good"])
        }
    }

    @Test func answerThatWasLostIsNoSecondRecord() async throws {
        try await withProducer { fake, _, producer in
            fake.state.withLock { $0.faults = [.loseAnswer, .loseRequest] }
            try await producer.transaction { _ = try await producer.enqueue(try message("a")) }
            #expect(try fake.values("t") == ["a"])
            #expect(try transaction(fake).outcomes == [true])
        }
    }

    @Test func whatWaitsWhenTheTransactionIsAbortedIsNotWritten() async throws {
        try await withProducer { fake, _, producer in
            fake.state.withLock { $0.leader = 9 }
            try producer.begin()
            let deliveries = [
                try await producer.enqueue(try message("a")), try await producer.enqueue(try message("b", "u")),
            ]
            try await producer.abort()
            for delivery in deliveries {
                await #expect(throws: TransactionError.aborted) { _ = try await delivery.offset() }
            }
            fake.state.withLock { $0.leader = 1 }
            try await producer.transaction { _ = try await producer.enqueue(try message("c")) }
            #expect(try fake.values("t") == ["c"])
            #expect(try fake.values("u").isEmpty)
        }
    }

    @Test func bodyThatThrowsAbortsAndItsErrorIsPassedOn() async throws {
        struct Broken: Error {}
        try await withProducer { fake, _, producer in
            await #expect(throws: Broken.self) {
                try await producer.transaction {
                    _ = try await producer.send(try message("a"))
                    throw Broken()
                }
            }
            let state = try transaction(fake)
            #expect(state.outcomes == [false])
        }
    }

    @Test func commitOfUnknownOutcomeCanBeRepeatedButNotAborted() async throws {
        try await withProducer { fake, _, producer in
            try producer.begin()
            _ = try await producer.send(try message("a"))
            fake.state.withLock { $0.transactionFaults[.endTxn] = Array(repeating: .loseAnswer, count: 1000) }
            let committing = Task { try await producer.commit() }
            try await eventually("it is being committed") { try transaction(fake).outcomes == [true] }
            committing.cancel()
            await #expect(throws: CancellationError.self) { try await committing.value }
            await #expect(throws: TransactionError.self) { try await producer.abort() }
            fake.state.withLock { $0.transactionFaults = [:] }
            try await producer.commit()
            try await producer.transaction { _ = try await producer.enqueue(try message("b")) }
            #expect(try transaction(fake).outcomes == [true, true])
        }
    }

    @Test func refusedTransactionalIDIsTerminal() async throws {
        let fake = try await FakeCluster.start(topics: [:])
        let cluster = Cluster(configuration: .local(port: fake.port), logger: LogLines().logger)
        fake.state.withLock {
            $0.transactionFaults[.initProducerId] = [.refuse(.transactionalIDAuthorizationFailed)]
        }
        let producer = TransactionalProducer(cluster: cluster, transactionalID: "id")
        #expect(throws: TransactionError.self) { try producer.begin() }
        await #expect {
            try await producer.initialize()
        } throws: { error in
            guard case TransactionError.terminal(let cause) = error else { return false }
            return cause.code == .transactionalIDAuthorizationFailed
        }
        await producer.close()
        cluster.close()
        await fake.stop()
    }
}
