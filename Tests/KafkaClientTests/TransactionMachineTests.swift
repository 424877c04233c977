import KafkaProtocol
import RecordBatch
import Testing

@testable import KafkaClient

@Suite struct TransactionMachineTests {
    private let a: TopicPartition
    private let b: TopicPartition

    init() throws {
        a = try partition("a")
        b = try partition("b", 1)
    }

    private func refusal(_ code: ErrorCode) -> KafkaClientError { .refused(code, subject: "test", message: nil) }

    private func ready() -> TransactionMachine {
        var machine = TransactionMachine(transactionalID: "id")
        machine.initialized(ProducerIdentity(id: 7, epoch: 0))
        return machine
    }

    private func open(enlisting partitions: TopicPartition...) throws -> TransactionMachine {
        var machine = ready()
        try machine.begin()
        for partition in partitions {
            try machine.want(partition)
            _ = machine.enlist(partition)
            machine.didEnlist()
        }
        return machine
    }

    /// The calls that are not refused in the machine's phase.
    private func allowed(_ machine: TransactionMachine) -> Set<String> {
        var allowed: Set<String> = []
        func call(_ name: String, _ body: (inout TransactionMachine) throws -> Void) {
            var copy = machine
            if (try? body(&copy)) != nil { allowed.insert(name) }
        }
        call("begin") { try $0.begin() }
        call("send") { try $0.want(a) }
        call("offsets") { _ = try $0.wantGroup("g") }
        call("commit") { try $0.flush() }
        call("abort") { _ = try $0.abort() }
        return allowed
    }

    @Test func eachPhaseAllowsWhatItsNameSays() throws {
        var machine = TransactionMachine(transactionalID: "id")
        #expect(allowed(machine).isEmpty)
        machine = ready()
        #expect(allowed(machine) == ["begin"])
        try machine.begin()
        #expect(allowed(machine) == ["send", "offsets", "commit", "abort"])
        try machine.flush()
        #expect(allowed(machine) == ["commit", "abort"])
        _ = try machine.flushed()
        // It may be committed by now, so it cannot be aborted.
        #expect(machine.phase == .committing && allowed(machine) == ["commit"])
        machine.ended()
        #expect(allowed(machine) == ["begin"])
        machine = try open(enlisting: a)
        machine.failed(.abortable(refusal(.messageTooLarge)))
        #expect(allowed(machine) == ["abort"])
        _ = try machine.abort()
        #expect(allowed(machine) == ["abort"])
        machine.failed(.fenced(refusal(.producerFenced)))
        #expect(allowed(machine).isEmpty)
        machine.ended()
        #expect(allowed(machine).isEmpty)
        #expect(machine.failure == .fenced(transactionalID: "id", cause: refusal(.producerFenced)))
    }

    @Test func partitionsAreEnlistedOnceAndTogether() throws {
        var machine = ready()
        try machine.begin()
        try machine.want(a)
        try machine.want(b)
        let first = machine.enlist(a)
        let second = machine.enlist(b)
        #expect(first == .request([a, b]) && second == .wait)
        machine.didEnlist()
        let enlisted = [machine.enlist(a), machine.enlist(b)]
        #expect(enlisted == [.done, .done])
        // The next transaction knows nothing of it.
        try machine.flush()
        let ending = try machine.flushed()
        #expect(ending == .init(isKnown: true, isCertain: true, needsNewEpoch: false))
        machine.ended()
        try machine.begin()
        let next = machine.enlist(b)
        machine.didNotEnlist()
        let again = machine.enlist(b)
        #expect(next == .request([b]) && again == .request([b]))
    }

    @Test func emptyTransactionNeedsNobody() throws {
        var machine = ready()
        try machine.begin()
        try machine.flush()
        let ending = try machine.flushed()
        #expect(!ending.isKnown)
        machine.ended()
        try machine.begin()
        let needsGroup = try machine.wantGroup("g")
        #expect(needsGroup)
        let aborting = try machine.abort()
        // Told, with an outcome that is not known.
        #expect(aborting == .init(isKnown: true, isCertain: false, needsNewEpoch: false))
    }

    @Test func groupIsToldOfOnce() throws {
        var machine = try open()
        let isFirst = try machine.wantGroup("g")
        machine.didEnlistGroup("g")
        let isSecond = try machine.wantGroup("g")
        #expect(isFirst && !isSecond)
    }

    @Test func brokenSequenceAsksForANewEpochAndOnlyOnce() throws {
        var machine = try open(enlisting: a)
        try machine.flush()
        machine.failed(.abortableWithNewEpoch(refusal(.outOfOrderSequenceNumber)))
        #expect(machine.failure == .mustAbort(cause: refusal(.outOfOrderSequenceNumber)))
        #expect(!allowed(machine).contains("commit"))
        let refused = machine.enlist(b)
        #expect(refused == .refused(.mustAbort(cause: refusal(.outOfOrderSequenceNumber))))
        let ending = try machine.abort()
        #expect(ending == .init(isKnown: true, isCertain: true, needsNewEpoch: true))
        machine.initialized(ProducerIdentity(id: 7, epoch: 1))
        machine.ended()
        #expect(machine.phase == .ready && machine.identity?.epoch == 1 && !machine.needsNewEpoch)
    }

    @Test func sequenceThatBreaksWhileAbortingAsksForANewEpochToo() throws {
        var machine = try open(enlisting: a)
        _ = try machine.abort()
        machine.failed(.abortable(refusal(.messageTooLarge)))
        machine.failed(.abortableWithNewEpoch(refusal(.outOfOrderSequenceNumber)))
        #expect(machine.phase == .aborting && machine.needsNewEpoch)
        let refused = machine.enlist(a)
        #expect(refused == .refused(.aborted))
    }

    @Test func firstCauseStays() throws {
        var machine = try open(enlisting: a)
        machine.failed(.abortable(refusal(.messageTooLarge)))
        machine.failed(.abortable(refusal(.topicAuthorizationFailed)))
        machine.failed(.passing)
        #expect(machine.failure == .mustAbort(cause: refusal(.messageTooLarge)))
        machine.failed(.terminal(refusal(.invalidTxnState)))
        machine.failed(.fenced(refusal(.producerFenced)))
        #expect(machine.failure == .terminal(cause: refusal(.invalidTxnState)))
        #expect(machine.failure?.isTerminal == true)
    }

    @Test func errorsAreSortedByWhatCanBeDoneAboutThem() {
        func coordinator(_ code: ErrorCode) -> TransactionFailure { TransactionFailure(coordinator: refusal(code)) }
        func delivery(_ code: ErrorCode) -> TransactionFailure { TransactionFailure(delivery: refusal(code)) }
        for code in [
            ErrorCode.concurrentTransactions, .notCoordinator, .coordinatorLoadInProgress, .unknownTopicOrPartition,
        ] {
            #expect(coordinator(code) == .passing, "\(code)")
        }
        #expect(TransactionFailure(coordinator: .unreachable(.init(host: "h"), reason: "no")) == .passing)
        for code in [ErrorCode.illegalGeneration, .unknownMemberID, .fencedInstanceID, .groupAuthorizationFailed] {
            #expect(coordinator(code) == .abortable(refusal(code)), "\(code)")
        }
        for code in [ErrorCode.producerFenced, .invalidProducerEpoch] {
            #expect(coordinator(code) == .fenced(refusal(code)), "\(code)")
        }
        for code in [ErrorCode.transactionalIDAuthorizationFailed, .invalidTxnState, .invalidTransactionTimeout] {
            #expect(coordinator(code) == .terminal(refusal(code)), "\(code)")
        }
        #expect(coordinator(.invalidProducerIDMapping) == .abortableWithNewEpoch(refusal(.invalidProducerIDMapping)))
        #expect(delivery(.invalidProducerEpoch) == .abortableWithNewEpoch(refusal(.invalidProducerEpoch)))
        #expect(delivery(.producerFenced) == .fenced(refusal(.producerFenced)))
        #expect(delivery(.messageTooLarge) == .abortable(refusal(.messageTooLarge)))
    }
}
