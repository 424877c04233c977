public import RecordBatch

/// What one log knows of its idempotent and transactional producers: which batches they have sent, by which a batch out of
/// order is refused and one sent again is recognised, and which transactions are open (KIP-98). A value owned by the log;
/// kept over restarts in snapshots.
public struct ProducerStates: Sendable {
    /// A transaction whose marker is in the log, perhaps beyond what consumers may read.
    private struct EndedTransaction {
        let first: Offset
        let marker: Offset
    }

    /// Producers that are remembered; the one unheard of for longest is forgotten first, but none with an open
    /// transaction.
    var limit: Int
    private var states: [Int64: ProducerState] = [:]
    private var openCount = 0
    /// Where the oldest open transaction begins.
    private(set) var firstOpen: Offset?
    private var ended: [EndedTransaction] = []
    /// How many were forgotten as there were too many, since it was last asked for.
    var forgottenCount = 0

    init(limit: Int) {
        self.limit = limit
    }

    public var count: Int { states.count }

    public subscript(producerID: Int64) -> ProducerState? { states[producerID] }

    /// By their ids.
    public var all: [(producerID: Int64, state: ProducerState)] {
        states.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    // MARK: Batches

    /// What is to become of a batch that a client has sent.
    public func verdict(on header: RecordBatchHeader) -> ProducerVerdict {
        guard header.hasProducerID else { return .append }
        guard header.producerEpoch >= 0, header.baseSequence >= 0 else { return .refuse(.malformed) }
        // A producer we do not know may begin anywhere: its earlier batches may have been removed with the log.
        guard let state = states[header.producerID] else { return Self.append(header) }
        if header.producerEpoch < state.epoch { return .refuse(.fenced) }
        if header.producerEpoch > state.epoch {
            guard header.baseSequence == 0 else { return .refuse(.outOfOrder) }
        } else {
            let known = state.recent.first {
                $0.firstSequence == header.baseSequence && $0.lastSequence == header.lastSequence
            }
            if let known { return .duplicate(known) }
            if let last = state.recent.last {
                let expected = last.lastSequence == .max ? 0 : last.lastSequence + 1
                guard header.baseSequence == expected else { return .refuse(.outOfOrder) }
            }
        }
        guard state.openSince != nil else { return Self.append(header) }
        return header.isTransactional ? .append : .refuse(.outsideTransaction)
    }

    /// The same for a batch of the broker's own making, as the offsets of a transaction: its sequence numbers say nothing.
    public func verdictOnInternal(_ header: RecordBatchHeader) -> ProducerVerdict {
        guard let state = states[header.producerID] else { return Self.append(header) }
        if header.producerEpoch < state.epoch { return .refuse(.fenced) }
        return state.openSince == nil ? Self.append(header) : .append
    }

    private static func append(_ header: RecordBatchHeader) -> ProducerVerdict {
        // A marker ends a transaction, if there is one; it begins none.
        header.isTransactional && !header.isControl ? .appendBeginningTransaction : .append
    }

    /// Takes note of a batch of records that is in the log at `baseOffset`.
    ///
    /// - Parameter now: milliseconds since the epoch.
    mutating func record(_ header: RecordBatchHeader, at baseOffset: Offset, now: Int64) {
        guard header.hasProducerID else { return }
        let id = header.producerID
        let beginsTransaction: Bool
        if let index = states.index(forKey: id) {
            beginsTransaction = states.values[index].note(header, at: baseOffset, now)
        } else {
            var state = ProducerState(epoch: header.producerEpoch, lastUsed: now)
            beginsTransaction = state.note(header, at: baseOffset, now)
            states[id] = state
            forgetOldest()
        }
        guard beginsTransaction else { return }
        openCount += 1
        firstOpen = min(firstOpen ?? baseOffset, baseOffset)
    }

    // MARK: Transactions

    /// Whether a marker of this producer would change anything: not if the partition has it already.
    public func needsMarker(producerID: Int64, epoch: Int16) -> Bool {
        guard let state = states[producerID] else { return true }
        return state.openSince != nil || state.epoch < epoch
    }

    /// Takes note of a transaction marker that is in the log at `offset`.
    ///
    /// - Returns: what goes into the transaction index if records were aborted.
    mutating func end(
        _ marker: TransactionMarker, _ header: RecordBatchHeader, at offset: Offset, now: Int64
    ) -> AbortedTransaction? {
        let id = header.producerID
        var state = states[id] ?? ProducerState(epoch: header.producerEpoch, lastUsed: now)
        let first = state.openSince
        let hadRecords = state.hasOpenRecords
        state.raise(to: header.producerEpoch)
        state.coordinatorEpoch = marker.coordinatorEpoch
        state.lastUsed = max(state.lastUsed, now)
        state.openSince = nil
        state.hasOpenRecords = false
        let isNew = states.updateValue(state, forKey: id) == nil
        if isNew { forgetOldest() }
        guard let first else { return nil }
        ended.append(EndedTransaction(first: first, marker: offset))
        openCount -= 1
        if firstOpen == first { findFirstOpen() }
        guard !marker.isCommit, hadRecords else { return nil }
        return AbortedTransaction(
            producerID: id, firstOffset: first, lastOffset: offset,
            lastStableOffset: firstOpen ?? offset.advanced(by: 1))
    }

    private mutating func findFirstOpen() {
        firstOpen = openCount == 0 ? nil : states.values.compactMap(\.openSince).min()
    }

    /// Where the oldest transaction begins whose end consumers cannot see yet; nil if there is none.
    public var firstUnstableOffset: Offset? {
        guard let first = ended.first else { return firstOpen }
        let oldest = ended.reduce(first.first) { min($0, $1.first) }
        return min(oldest, firstOpen ?? oldest)
    }

    /// Consumers may read up to `highWatermark`: markers before it have become visible.
    mutating func markersAreVisible(before highWatermark: Offset) {
        guard !ended.isEmpty else { return }
        ended.removeAll { $0.marker < highWatermark }
    }

    // MARK: Forgetting

    /// Forgets producers unheard of since `time` (milliseconds), unless they have a transaction open.
    mutating func expire(silentSince time: Int64) {
        for (id, state) in states where state.lastUsed <= time && state.openSince == nil { states[id] = nil }
    }

    /// Forgets in strides, so that a sort is paid for by many insertions.
    private mutating func forgetOldest() {
        guard states.count > limit + limit / 4 else { return }
        let closed = states.filter { $0.value.openSince == nil }.sorted { $0.value.lastUsed < $1.value.lastUsed }
        let surplus = closed.prefix(states.count - limit)
        for (id, _) in surplus { states[id] = nil }
        forgottenCount += surplus.count
    }
}

// MARK: Snapshots

extension ProducerStates {
    /// Takes a producer from a snapshot; of one that is there already the older batches are.
    mutating func restore(_ state: ProducerState, of producerID: Int64) {
        var state = state
        if let older = states[producerID], older.epoch == state.epoch {
            state.recent = Array((older.recent + state.recent).suffix(ProducerState.rememberedBatches))
        }
        state.hasOpenRecords = state.openSince != nil
        let wasOpen = states.updateValue(state, forKey: producerID)?.openSince
        guard wasOpen != state.openSince else { return }
        openCount += (state.openSince == nil ? 0 : 1) - (wasOpen == nil ? 0 : 1)
        findFirstOpen()
    }
}
