import KafkaProtocol
import Testing

@testable import Broker

/// One transactional id as a state machine: no clock, no socket, no log.
@Suite struct TransactionalProducerTests {
    /// Carries out what the state machine asks for, at once and with success unless a test says otherwise.
    private struct Desk {
        var producer: TransactionalProducer
        var now: Int64 = 1_000
        var stored: [TransactionRecord] = []
        var answers: [ErrorCode] = []
        var identity = ProducerIdentity.none
        var markers: [TransactionEnd] = []
        var allowed: Set<PartitionName> = []
        var isForgotten = false
        var nextProducerID: Int64 = 500
        var storing = true
        var writing = true
        private var nextToken: UInt64 = 0

        init(_ record: TransactionRecord = TransactionRecord(), partitions: Int = 10) {
            producer = TransactionalProducer(
                record: record, settings: TransactionSettings(), maximumPartitions: partitions)
        }

        private mutating func token() -> TransactionReplyToken {
            nextToken += 1
            return TransactionReplyToken(rawValue: nextToken)
        }

        mutating func feed(_ event: TransactionEvent) {
            for action in producer.handle(event, now: now) {
                switch action {
                case .answerInitialize(_, let code, let identity):
                    answers.append(code)
                    if code == .none { self.identity = identity }
                case .answer(_, let code): answers.append(code)
                case .giveProducerID:
                    nextProducerID += 1
                    feed(.producerIDGiven(nextProducerID))
                case .store(let record):
                    if storing {
                        stored.append(record)
                        feed(.stored(true))
                    }
                case .allow(let partitions, _): allowed.formUnion(partitions)
                case .close: allowed = []
                case .writeMarkers(let end, _):
                    if writing {
                        markers.append(end)
                        feed(.markersWritten(true))
                    }
                case .forget: isForgotten = true
                }
            }
        }

        mutating func initialize(as identity: ProducerIdentity? = nil) -> ErrorCode? {
            let count = answers.count
            feed(.initialize(ProducerAttempt(timeoutMilliseconds: 5_000, identity: identity), token()))
            return answers.count > count ? answers.last : nil
        }

        mutating func add(_ partitions: Int32..., as identity: ProducerIdentity? = nil) -> ErrorCode? {
            let count = answers.count
            let names = Set(partitions.map { PartitionName(topic: "t", partition: $0) })
            feed(.add(names, identity ?? self.identity, token()))
            return answers.count > count ? answers.last : nil
        }

        mutating func end(isCommit: Bool = true, as identity: ProducerIdentity? = nil) -> ErrorCode? {
            let count = answers.count
            feed(.end(isCommit: isCommit, identity ?? self.identity, token()))
            return answers.count > count ? answers.last : nil
        }
    }

    @Test func aTransactionIsStoredStepByStepBeforeItIsAnswered() {
        var desk = Desk()
        #expect(desk.initialize() == ErrorCode.none)
        #expect(desk.identity == ProducerIdentity(producerID: 501, epoch: 0))
        #expect(desk.add(0, 1) == ErrorCode.none)
        #expect(desk.allowed.count == 2)
        #expect(desk.add(1) == ErrorCode.none)
        #expect(desk.add(2) == ErrorCode.none)
        desk.now = 2_000
        #expect(desk.end() == ErrorCode.none)
        #expect(desk.stored.map(\.state) == [.empty, .ongoing, .ongoing, .prepareCommit, .completeCommit])
        #expect(desk.stored.map(\.partitions.count) == [0, 2, 3, 3, 0])
        #expect(desk.stored[3].startedAt == 1_000 && desk.stored[3].updatedAt == 2_000)
        #expect(desk.markers == [TransactionEnd(producerID: 501, epoch: 0, isCommit: true)])
        #expect(desk.allowed.isEmpty)
        // The answer was lost, and the request came again.
        #expect(desk.end() == ErrorCode.none)
        #expect(desk.end(isCommit: false) == .invalidTxnState)
        #expect(desk.add(0) == ErrorCode.none)
        #expect(desk.end(isCommit: false) == ErrorCode.none)
        #expect(desk.markers.last?.isCommit == false)
        #expect(desk.producer.record.state == .completeAbort)
    }

    @Test func withoutATransactionThereIsNothingToEnd() {
        var desk = Desk()
        _ = desk.initialize()
        #expect(desk.end() == .invalidTxnState)
    }

    @Test func aNewProducerFencesTheOneBefore() {
        var desk = Desk()
        _ = desk.initialize()
        let old = desk.identity
        #expect(desk.initialize() == ErrorCode.none)
        #expect(desk.identity == ProducerIdentity(producerID: 501, epoch: 1))
        #expect(desk.add(0, as: old) == .producerFenced)
        #expect(desk.end(as: old) == .producerFenced)
        #expect(desk.add(0, as: ProducerIdentity(producerID: 7, epoch: 1)) == .invalidProducerIDMapping)
    }

    @Test func aNewProducerAbortsWhatTheOneBeforeLeftOpen() {
        var desk = Desk()
        _ = desk.initialize()
        _ = desk.add(0)
        #expect(desk.initialize() == .concurrentTransactions)
        #expect(desk.markers == [TransactionEnd(producerID: 501, epoch: 1, isCommit: false)])
        #expect(desk.initialize() == ErrorCode.none)
        #expect(desk.identity.epoch == 2)
    }

    @Test func aProducerThatSaysWhatItWasMustBeTheLatest() {
        var desk = Desk()
        _ = desk.initialize()
        let first = desk.identity
        #expect(desk.initialize(as: first) == ErrorCode.none)
        #expect(desk.identity.epoch == 1)
        // It did not get the answer and asks again: the same epoch.
        #expect(desk.initialize(as: first) == ErrorCode.none)
        #expect(desk.identity.epoch == 1)
        let second = desk.identity
        #expect(desk.initialize(as: second) == ErrorCode.none)
        #expect(desk.initialize(as: first) == .producerFenced)
        #expect(desk.initialize(as: ProducerIdentity(producerID: 9, epoch: 2)) == .producerFenced)
    }

    @Test func whenEpochsAreUsedUpThereIsANewProducerID() {
        var desk = Desk(TransactionRecord(producerID: 7, epoch: .max - 2, state: .completeCommit))
        #expect(desk.initialize() == ErrorCode.none)
        #expect(desk.identity == ProducerIdentity(producerID: 7, epoch: .max - 1))
        let last = desk.identity
        #expect(desk.initialize(as: last) == ErrorCode.none)
        #expect(desk.identity == ProducerIdentity(producerID: 501, epoch: 0))
        #expect(desk.initialize(as: last) == ErrorCode.none)
        #expect(desk.identity == ProducerIdentity(producerID: 501, epoch: 0))
    }

    @Test func theLastEpochCanStillBeFenced() {
        var desk = Desk(TransactionRecord(producerID: 7, epoch: .max - 1, state: .completeCommit))
        desk.identity = ProducerIdentity(producerID: 7, epoch: .max - 1)
        _ = desk.add(0)
        #expect(desk.initialize() == .concurrentTransactions)
        #expect(desk.markers == [TransactionEnd(producerID: 7, epoch: .max, isCommit: false)])
        #expect(desk.initialize() == ErrorCode.none)
        #expect(desk.identity == ProducerIdentity(producerID: 501, epoch: 0))
    }

    @Test func timeAbortsAndFences() {
        var desk = Desk()
        _ = desk.initialize()
        _ = desk.add(0)
        desk.now += 5_000
        desk.feed(.timePassed)
        #expect(desk.producer.record.state == .ongoing)
        desk.now += 1
        desk.feed(.timePassed)
        #expect(desk.markers == [TransactionEnd(producerID: 501, epoch: 1, isCommit: false)])
        #expect(desk.end() == .producerFenced)
    }

    @Test func anIDThatNobodyUsesIsForgotten() {
        var desk = Desk()
        _ = desk.initialize()
        desk.now += 7 * 86_400_000 - 1
        desk.feed(.timePassed)
        #expect(!desk.isForgotten)
        desk.now += 1
        desk.feed(.timePassed)
        #expect(desk.isForgotten)
    }

    @Test func whileSomethingIsBeingStoredOthersAreToldToTryAgain() {
        var desk = Desk()
        _ = desk.initialize()
        desk.storing = false
        #expect(desk.add(0) == nil)
        #expect(desk.add(1) == .concurrentTransactions)
        #expect(desk.end() == .concurrentTransactions)
        #expect(desk.initialize() == .concurrentTransactions)
        desk.feed(.stored(true))
        #expect(desk.answers.last == ErrorCode.none)
        #expect(desk.producer.record.partitions.count == 1)
    }

    @Test func whatCouldNotBeStoredHasNotHappened() {
        var desk = Desk()
        _ = desk.initialize()
        desk.storing = false
        _ = desk.add(0)
        desk.feed(.stored(false))
        #expect(desk.answers.last == .coordinatorNotAvailable)
        #expect(desk.producer.record.state == .empty && desk.allowed.isEmpty)
        desk.storing = true
        _ = desk.add(0)
        desk.storing = false
        _ = desk.end()
        desk.feed(.stored(false))
        #expect(desk.answers.last == .coordinatorNotAvailable)
        desk.storing = true
        #expect(desk.end() == ErrorCode.none)
    }

    @Test func aFenceThatCouldNotBeStoredFencesAllTheSameAndOnce() {
        var desk = Desk()
        _ = desk.initialize()
        let old = desk.identity
        _ = desk.add(0)
        desk.storing = false
        _ = desk.initialize()
        desk.feed(.stored(false))
        #expect(desk.end(as: old) == .producerFenced)
        desk.storing = true
        #expect(desk.initialize() == .concurrentTransactions)
        #expect(desk.markers == [TransactionEnd(producerID: 501, epoch: 1, isCommit: false)])
    }

    @Test func markersThatCouldNotBeWrittenAreTriedAgain() {
        var desk = Desk()
        _ = desk.initialize()
        _ = desk.add(0)
        desk.writing = false
        #expect(desk.end() == nil)
        #expect(desk.end() == .concurrentTransactions)
        #expect(desk.end(isCommit: false) == .invalidTxnState)
        desk.feed(.markersWritten(false))
        // The decision is stored, so it holds.
        #expect(desk.answers.last == ErrorCode.none)
        #expect(desk.initialize() == .concurrentTransactions)
        desk.writing = true
        desk.feed(.timePassed)
        #expect(desk.markers.isEmpty)
        desk.now += 1_000
        desk.feed(.timePassed)
        #expect(desk.markers.count == 1)
        #expect(desk.producer.record.state == .completeCommit)
    }

    @Test(arguments: [TransactionState.prepareCommit, .prepareAbort])
    func whatWasDecidedBeforeAKillIsCarriedOutAfterIt(_ state: TransactionState) {
        let names: Set<PartitionName> = [PartitionName(topic: "t", partition: 3)]
        var desk = Desk(TransactionRecord(producerID: 7, epoch: 2, state: state, partitions: names))
        desk.feed(.restored)
        #expect(desk.markers == [TransactionEnd(producerID: 7, epoch: 2, isCommit: state == .prepareCommit)])
        #expect(desk.producer.record.state == (state == .prepareCommit ? .completeCommit : .completeAbort))
    }

    @Test func anOpenTransactionGoesOnAfterARestart() {
        let names: Set<PartitionName> = [PartitionName(topic: "t", partition: 3)]
        var desk = Desk(
            TransactionRecord(
                producerID: 7, epoch: 2, timeoutMilliseconds: 5_000, state: .ongoing, partitions: names,
                startedAt: 1_000))
        desk.identity = ProducerIdentity(producerID: 7, epoch: 2)
        desk.feed(.restored)
        #expect(desk.allowed == names)
        #expect(desk.end() == ErrorCode.none)
    }

    @Test func tooManyPartitionsAreRefused() {
        var desk = Desk(partitions: 2)
        _ = desk.initialize()
        #expect(desk.add(0, 1) == ErrorCode.none)
        #expect(desk.add(2) == .policyViolation)
        #expect(desk.end() == ErrorCode.none)
    }

    @Test func aRecordIsReadAsItWasWritten() throws {
        let record = TransactionRecord(
            producerID: 7, epoch: 3, timeoutMilliseconds: 60_000, state: .ongoing,
            partitions: [PartitionName(topic: "a", partition: 1), PartitionName(topic: "b", partition: 0)],
            startedAt: 5, updatedAt: 6)
        let key = try TransactionRecord.key(of: "x")
        let read = try #require(try TransactionRecord.read(key: key, value: try record.valueBytes()))
        #expect(read.id == "x" && read.record == record)
        let removed = try #require(try TransactionRecord.read(key: key, value: nil))
        #expect(removed.id == "x" && removed.record == nil)
    }
}
