import KafkaProtocol

/// One transactional id, as a value: events and the time go in, actions come out (KIP-98, KIP-360, KIP-588).
///
///                 first partition                  EndTxn, a newer producer, or time-out
///      empty ─────────────────────▶ ongoing ───────────────────────▶ prepare commit / prepare abort
///        ▲                             ▲                                        │ markers are in all partitions
///        │ InitProducerId              │ first partition                        ▼
///        └─────────────────────────────┴─────────────────────────── complete commit / complete abort
///
/// Every step is stored before it counts. While that is under way, other requests are answered CONCURRENT_TRANSACTIONS,
/// which clients try again. A transaction whose end has been stored ends that way whatever happens: after a restart its
/// markers are written again where they are missing.
///
/// Owned by `TransactionCoordinator` on its event loop. It knows no clock, socket or log.
struct TransactionalProducer: Sendable {
    let settings: TransactionSettings
    /// Partitions that one transaction may have.
    let maximumPartitions: Int
    var record: TransactionRecord
    var step: Step?
    /// Whether markers are being written.
    var isWritingMarkers = false
    /// Who is answered once the transaction has ended.
    var endReply: TransactionReplyToken?
    /// Set when a raised epoch could not be stored: it fences already, so it is not raised again.
    var hasFailedFence = false
    /// When what failed is to be tried again.
    var retryAt: Int64?

    /// Between two attempts to write markers.
    static let retryMilliseconds: Int64 = 1_000

    /// What is being waited for.
    enum Step: Sendable {
        case givingID(ProducerAttempt, TransactionReplyToken)
        case initializing(TransactionRecord, TransactionReplyToken)
        case adding(TransactionRecord, Set<PartitionName>, TransactionReplyToken)
        case ending(TransactionRecord, TransactionReplyToken?)
        /// A newer producer, or the time, aborts the transaction.
        case fencing(TransactionRecord, TransactionReplyToken?)
        case completing(TransactionRecord)
    }

    init(record: TransactionRecord = TransactionRecord(), settings: TransactionSettings, maximumPartitions: Int) {
        self.record = record
        self.settings = settings
        self.maximumPartitions = maximumPartitions
    }

    var identity: ProducerIdentity {
        ProducerIdentity(producerID: self.record.producerID, epoch: self.record.epoch)
    }

    /// - Parameter now: milliseconds since the epoch.
    mutating func handle(_ event: TransactionEvent, now: Int64) -> [TransactionAction] {
        var actions: [TransactionAction] = []
        switch event {
        case .initialize(let attempt, let token):
            self.initialize(attempt, token, now, &actions)
        case .producerIDGiven(let id):
            self.take(producerID: id, now, &actions)
        case .add(let partitions, let identity, let token):
            self.add(partitions, identity, token, now, &actions)
        case .end(let isCommit, let identity, let token):
            self.end(isCommit: isCommit, identity, token, now, &actions)
        case .stored(let succeeded):
            self.stored(succeeded, now, &actions)
        case .markersWritten(let succeeded):
            self.markersWritten(succeeded, now, &actions)
        case .timePassed:
            self.timePassed(now, &actions)
        case .restored:
            self.restored(now, &actions)
        }
        return actions
    }

    // MARK: Adding partitions

    private mutating func add(
        _ partitions: Set<PartitionName>, _ identity: ProducerIdentity, _ token: TransactionReplyToken, _ now: Int64,
        _ actions: inout [TransactionAction]
    ) {
        if let error = self.error(for: identity) { return actions.append(.answer(token, error)) }
        guard self.step == nil, !self.isEnding else { return actions.append(.answer(token, .concurrentTransactions)) }
        let isOngoing = self.record.state == .ongoing
        if isOngoing, partitions.isSubset(of: self.record.partitions) {
            return actions.append(.answer(token, .none))
        }
        var next = self.record
        next.partitions = isOngoing ? next.partitions.union(partitions) : partitions
        guard next.partitions.count <= self.maximumPartitions else {
            return actions.append(.answer(token, .policyViolation))
        }
        next.state = .ongoing
        if !isOngoing { next.startedAt = now }
        next.updatedAt = now
        self.step = .adding(next, partitions, token)
        actions.append(.store(next))
    }

    /// Why a producer may not speak for the transactional id.
    func error(for identity: ProducerIdentity) -> ErrorCode? {
        if identity.producerID != self.record.producerID { return .invalidProducerIDMapping }
        return identity.epoch == self.record.epoch ? nil : .producerFenced
    }

    /// Whether its end has been decided and is not everywhere yet.
    var isEnding: Bool { self.record.state == .prepareCommit || self.record.state == .prepareAbort }

    // MARK: What was stored

    private mutating func stored(_ succeeded: Bool, _ now: Int64, _ actions: inout [TransactionAction]) {
        guard let step = self.step else { return }
        self.step = nil
        guard succeeded else { return self.storingFailed(step, now, &actions) }
        switch step {
        case .givingID:
            self.step = step
        case .initializing(let next, let token):
            self.record = next
            self.hasFailedFence = false
            actions.append(.answerInitialize(token, .none, self.identity))
        case .adding(let next, let partitions, let token):
            self.record = next
            actions.append(.allow(partitions, self.identity))
            actions.append(.answer(token, .none))
        case .ending(let next, let token):
            self.record = next
            self.endReply = token
            self.writeMarkers(&actions)
        case .fencing(let next, let token):
            self.record = next
            self.hasFailedFence = false
            // The newer producer tries again until the older one's transaction is gone.
            if let token { actions.append(.answerInitialize(token, .concurrentTransactions, .none)) }
            self.writeMarkers(&actions)
        case .completing(let next):
            self.record = next
            self.answerEnd(&actions)
        }
    }

    private mutating func storingFailed(_ step: Step, _ now: Int64, _ actions: inout [TransactionAction]) {
        switch step {
        case .givingID(_, let token), .initializing(_, let token):
            actions.append(.answerInitialize(token, .coordinatorNotAvailable, .none))
        case .adding(_, _, let token):
            actions.append(.answer(token, .coordinatorNotAvailable))
        case .ending(_, let token):
            if let token { actions.append(.answer(token, .coordinatorNotAvailable)) }
        case .fencing(let next, let token):
            self.record.epoch = next.epoch
            self.record.lastEpoch = -1
            self.hasFailedFence = true
            self.retryAt = now + Self.retryMilliseconds
            if let token { actions.append(.answerInitialize(token, .coordinatorNotAvailable, .none)) }
        case .completing:
            // The markers are there: the end holds, and only this has to be written down again.
            self.retryAt = now + Self.retryMilliseconds
            self.answerEnd(&actions)
        }
    }

    private mutating func answerEnd(_ actions: inout [TransactionAction]) {
        guard let token = self.endReply else { return }
        self.endReply = nil
        actions.append(.answer(token, .none))
    }
}
