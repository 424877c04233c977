import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// Carries out what a ``TransactionMachine`` asks for, retrying what may pass. Owned by ``TransactionalProducer``, known
/// to the senders of its partitions; any thread.
final class TransactionSession: Sendable {
    let requests: TransactionRequests
    private let cluster: Cluster
    private let timeout: Duration
    private let machine: Mutex<TransactionMachine>
    private let changed = Signal()

    init(cluster: Cluster, transactionalID: String, timeout: Duration) {
        self.cluster = cluster
        self.timeout = timeout
        self.requests = TransactionRequests(cluster: cluster, transactionalID: transactionalID)
        self.machine = Mutex(TransactionMachine(transactionalID: transactionalID))
    }

    var transactionalID: String { requests.transactionalID }
    var phase: TransactionMachine.Phase { machine.withLock { $0.phase } }

    /// Whether a transaction is open that an abort would end.
    var isAbortable: Bool {
        switch phase {
        case .open, .flushing, .mustAbort, .aborting: true
        case .new, .ready, .committing, .dead: false
        }
    }

    /// Gets the first producer id, if there is none yet.
    func initialize() async throws {
        guard phase == .new else { return }
        try await renewIdentity(replacing: nil)
    }

    func begin() throws(TransactionError) {
        try machine.withLock { (machine) throws(TransactionError) in try machine.begin() }
    }

    // MARK: Of the senders

    /// What batches are stamped with.
    func identity() throws -> ProducerIdentity {
        let (identity, failure) = machine.withLock { ($0.identity, $0.failure) }
        if let failure { throw failure }
        guard let identity else { throw TransactionError.notNow(call: "send(_:)", state: "there is no producer id") }
        return identity
    }

    /// Something is about to be written to the partition.
    func want(_ partition: TopicPartition) throws(TransactionError) {
        try machine.withLock { (machine) throws(TransactionError) in try machine.want(partition) }
    }

    /// Returns when the partition, which exists, is part of the transaction. Gives up when the transaction is to be aborted.
    func enlist(_ partition: TopicPartition) async throws {
        var backoff = Backoff(cluster.configuration.retryBackoff)
        while true {
            let version = changed.version
            switch machine.withLock({ $0.enlist(partition) }) {
            case .done: return
            case .refused(let error): throw error
            case .wait: try await changed.wait(after: version)
            case .request(let partitions):
                do {
                    if let identity = machine.withLock({ $0.identity }) { try await requests.add(partitions, identity) }
                    machine.withLock { $0.didEnlist() }
                } catch {
                    // Others wait meanwhile, and are not each to ask again at once.
                    defer {
                        machine.withLock { $0.didNotEnlist() }
                        changed.notify()
                    }
                    try await endure(error, &backoff)
                }
                changed.notify()
            }
        }
    }

    /// A record could not be written.
    func deliveryFailed(_ error: any Error) {
        guard let error = error as? KafkaClientError, error != .closed else { return }
        fail(TransactionFailure(delivery: error))
    }

    /// A batch of this partition may or may not have been written, so what follows it cannot be numbered.
    func sequenceBroke(_ partition: TopicPartition) {
        fail(
            .abortableWithNewEpoch(
                .refused(
                    .outOfOrderSequenceNumber, subject: "partition \(partition)",
                    message: "it is not known whether a batch was written")))
    }

    // MARK: Of the transaction

    func sendOffsets(_ offsets: [TopicPartition: Offset], group: GroupMetadata) async throws {
        let isNew = try machine.withLock { (machine) throws(TransactionError) in
            try machine.wantGroup(group.group)
        }
        if isNew {
            try await attempt { requests, identity in try await requests.add(group: group.group, identity) }
            machine.withLock { $0.didEnlistGroup(group.group) }
        }
        try await attempt { requests, identity in
            try await requests.commit(offsets, group: group, identity)
        }
    }

    /// Takes no more in; what was sent can still be written.
    func flush() throws(TransactionError) {
        try machine.withLock { (machine) throws(TransactionError) in try machine.flush() }
    }

    func commit() async throws {
        let ending = try machine.withLock { (machine) throws(TransactionError) in try machine.flushed() }
        if ending.isKnown {
            try await attempt { requests, identity in try await requests.end(isCommit: true, identity) }
        }
        machine.withLock { $0.ended() }
    }

    /// Lets nothing more be written; to be followed by ``abort()`` when nothing is on its way any more.
    func prepareAbort() throws(TransactionError) {
        _ = try machine.withLock { (machine) throws(TransactionError) in try machine.abort() }
        changed.notify()
    }

    func abort() async throws {
        let ending = try machine.withLock { (machine) throws(TransactionError) in try machine.abort() }
        if ending.isKnown {
            try await attempt(isNothingOpen: ending.isCertain ? nil : .invalidTxnState) { requests, identity in
                try await requests.end(isCommit: false, identity)
            }
        }
        if machine.withLock({ $0.needsNewEpoch }) {
            try await renewIdentity(replacing: machine.withLock { $0.identity })
        }
        machine.withLock { $0.ended() }
    }

    private func renewIdentity(replacing old: ProducerIdentity?) async throws {
        let identity = try await retrying { [requests, timeout] in
            try await requests.initialize(timeout: timeout, replacing: old)
        }
        machine.withLock { $0.initialized(identity) }
    }

    // MARK: Attempts

    /// Asks a coordinator until it has answered for good.
    ///
    /// - Parameter isNothingOpen: a refusal that is as good as an answer.
    private func attempt(
        isNothingOpen: ErrorCode? = nil,
        _ request: @Sendable (TransactionRequests, ProducerIdentity) async throws -> Void
    ) async throws {
        try await retrying {
            guard let identity = machine.withLock({ $0.identity }) else { return }
            do {
                try await request(requests, identity)
            } catch let error as KafkaClientError {
                guard let isNothingOpen, error.code == isNothingOpen else { throw error }
            }
        }
    }

    /// - Throws: ``TransactionError``, which the machine remembers; `KafkaClientError.closed`; `CancellationError`.
    private func retrying<Value>(_ attempt: () async throws -> Value) async throws -> Value {
        var backoff = Backoff(cluster.configuration.retryBackoff)
        while true {
            do {
                return try await attempt()
            } catch {
                try await endure(error, &backoff)
            }
            if let failure = machine.withLock({ $0.failure }), failure.isTerminal { throw failure }
        }
    }

    /// Takes note of a failed attempt, and waits before the next one.
    ///
    /// - Throws: as ``retrying(_:)``, if there is to be none.
    private func endure(_ error: any Error, _ backoff: inout Backoff) async throws {
        guard let error = error as? KafkaClientError, error != .closed else { throw error }
        let failure = TransactionFailure(coordinator: error)
        fail(failure)
        if failure != .passing {
            throw machine.withLock { $0.failure } ?? TransactionError.terminal(cause: error)
        }
        cluster.logger.debug("transactional id \(transactionalID): \(error)")
        try await Task.sleep(for: backoff.next())
    }

    private func fail(_ failure: TransactionFailure) {
        machine.withLock { $0.failed(failure) }
        changed.notify()
    }
}
