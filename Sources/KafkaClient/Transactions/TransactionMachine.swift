import KafkaProtocol

/// What a transactional producer may do and has to do next (KIP-98, KIP-360).
///
///                 initialized        begin             flush            flushed
///         new ─────────────► ready ─────────► open ───────────► flushing ───────► committing ──► ready
///                              ▲               │ failed            │ failed          ended
///                              │               ▼                   │
///                   ended,     │           mustAbort ◄─────────────┘        dead: from anywhere, for good
///                   renewed    └── aborting ◄──┘ abort
///
/// A pure value behind the lock of a ``TransactionSession``; it knows no time and sends nothing.
struct TransactionMachine: Sendable {
    enum Phase: Equatable, Sendable {
        /// There is no producer id yet.
        case new
        /// No transaction is open.
        case ready
        case open
        /// Commit was called; what was sent before is on its way.
        case flushing
        /// The coordinator has been, or is to be, told to commit; whether it did is not known.
        case committing
        case mustAbort(KafkaClientError)
        case aborting
        case dead(TransactionError)
    }

    /// What a partition's sender has to do before it writes.
    enum Enlistment: Equatable, Sendable {
        /// The partition is part of the transaction.
        case done
        /// Tell the coordinator of these partitions, then call `didEnlist` or `didNotEnlist`.
        case request([TopicPartition])
        /// Another sender is telling the coordinator.
        case wait
        case refused(TransactionError)
    }

    /// How a transaction is ended.
    struct Ending: Equatable, Sendable {
        /// Whether the coordinator knows of the transaction; if not there is nothing to tell it.
        let isKnown: Bool
        /// Whether it is sure to know: if not it may say that there is no transaction to abort, which is as good.
        let isCertain: Bool
        /// Whether the producer has to ask for its next epoch before it goes on.
        let needsNewEpoch: Bool
    }

    let transactionalID: String
    private(set) var phase = Phase.new
    private(set) var identity: ProducerIdentity?
    /// Partitions and groups the coordinator has taken into the transaction.
    private var enlisted: Set<TopicPartition> = []
    private var groups: Set<String> = []
    /// Partitions that something is about to be written to, and those that the coordinator is being told of.
    private var wanted: Set<TopicPartition> = []
    private var underWay: Set<TopicPartition> = []
    /// Whether the coordinator was told of anything, with whatever outcome.
    private var isKnown = false
    /// The sequence of some partition is broken: batches of this epoch cannot go on (KIP-360).
    private(set) var needsNewEpoch = false

    init(transactionalID: String) {
        self.transactionalID = transactionalID
    }

    /// A producer id and epoch were given.
    mutating func initialized(_ identity: ProducerIdentity) {
        self.identity = identity
        needsNewEpoch = false
        if phase == .new { phase = .ready }
    }

    mutating func begin() throws(TransactionError) {
        guard phase == .ready else { throw refusal("begin()") }
        phase = .open
        forget()
    }

    // MARK: Writing

    /// Something is about to be written to the partition.
    mutating func want(_ partition: TopicPartition) throws(TransactionError) {
        guard phase == .open else { throw refusal("send(_:)") }
        if !enlisted.contains(partition) { wanted.insert(partition) }
    }

    /// The partition's sender wants to write.
    mutating func enlist(_ partition: TopicPartition) -> Enlistment {
        guard phase == .open || phase == .flushing else {
            if case .mustAbort = phase { return .refused(refusal("send(_:)")) }
            if case .dead(let error) = phase { return .refused(error) }
            return .refused(.aborted)
        }
        if enlisted.contains(partition) { return .done }
        guard underWay.isEmpty else { return .wait }
        underWay = wanted.union([partition])
        isKnown = true
        return .request(underWay.sorted())
    }

    mutating func didEnlist() {
        enlisted.formUnion(underWay)
        wanted.subtract(underWay)
        underWay = []
    }

    mutating func didNotEnlist() {
        underWay = []
    }

    /// Offsets of the group are about to be sent. Returns whether the coordinator has to be told first.
    mutating func wantGroup(_ group: String) throws(TransactionError) -> Bool {
        guard phase == .open else { throw refusal("sendOffsets(_:group:)") }
        if groups.contains(group) { return false }
        isKnown = true
        return true
    }

    mutating func didEnlistGroup(_ group: String) {
        groups.insert(group)
    }

    // MARK: Failing

    /// Something went wrong, in one of the requests or with a record.
    mutating func failed(_ failure: TransactionFailure) {
        switch (failure, phase) {
        case (_, .dead), (.passing, _): return
        case (.fenced(let cause), _):
            phase = .dead(.fenced(transactionalID: transactionalID, cause: cause))
        case (.terminal(let cause), _):
            phase = .dead(.terminal(cause: cause))
        case (.abortable(let cause), .open), (.abortable(let cause), .flushing):
            phase = .mustAbort(cause)
        case (.abortableWithNewEpoch(let cause), .open), (.abortableWithNewEpoch(let cause), .flushing):
            needsNewEpoch = true
            phase = .mustAbort(cause)
        case (.abortableWithNewEpoch, _):
            needsNewEpoch = true
        case (.abortable, _):
            // It is being aborted anyway, or was decided before.
            return
        }
    }

    /// The error of a transaction that cannot be committed, or of a producer that cannot go on.
    var failure: TransactionError? {
        switch phase {
        case .mustAbort(let cause): .mustAbort(cause: cause)
        case .dead(let error): error
        default: nil
        }
    }

    // MARK: Ending

    /// Takes no more in. Nothing happens when commit was called before and its outcome is not known.
    mutating func flush() throws(TransactionError) {
        switch phase {
        case .open: phase = .flushing
        case .flushing, .committing: return
        default: throw refusal("commit()")
        }
    }

    /// Everything that was sent is written, or has failed.
    mutating func flushed() throws(TransactionError) -> Ending {
        guard phase == .flushing || phase == .committing else { throw refusal("commit()") }
        phase = .committing
        return ending
    }

    mutating func abort() throws(TransactionError) -> Ending {
        switch phase {
        case .open, .flushing, .mustAbort, .aborting: phase = .aborting
        default: throw refusal("abort()")
        }
        return ending
    }

    /// The transaction is decided, and the producer has its next epoch if it needed one.
    mutating func ended() {
        guard phase == .committing || phase == .aborting else { return }
        phase = .ready
        forget()
    }

    private var ending: Ending {
        Ending(
            isKnown: isKnown, isCertain: !enlisted.isEmpty || !groups.isEmpty,
            needsNewEpoch: needsNewEpoch)
    }

    private mutating func forget() {
        enlisted = []
        groups = []
        wanted = []
        underWay = []
        isKnown = false
    }

    private func refusal(_ call: String) -> TransactionError {
        switch phase {
        case .mustAbort(let cause): .mustAbort(cause: cause)
        case .dead(let error): error
        case .new: .notNow(call: call, state: "the producer is not initialized")
        case .ready: .notNow(call: call, state: "no transaction has begun")
        case .open: .notNow(call: call, state: "a transaction is open")
        case .flushing: .notNow(call: call, state: "the transaction is being committed")
        case .committing:
            .notNow(call: call, state: "whether the transaction is committed is not known yet; call commit() again")
        case .aborting: .notNow(call: call, state: "the transaction is being aborted; call abort() again")
        }
    }
}
