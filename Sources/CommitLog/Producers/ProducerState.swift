public import RecordBatch

/// A batch of an idempotent producer that is in the log. A value.
public struct AppendedBatch: Hashable, Sendable {
    public let firstSequence: Int32
    public let lastSequence: Int32
    public let baseOffset: Offset
    public let nextOffset: Offset

    init(firstSequence: Int32, lastSequence: Int32, baseOffset: Offset, nextOffset: Offset) {
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.baseOffset = baseOffset
        self.nextOffset = nextOffset
    }

    init(_ header: RecordBatchHeader, at baseOffset: Offset) {
        self.init(
            firstSequence: header.baseSequence, lastSequence: header.lastSequence, baseOffset: baseOffset,
            nextOffset: baseOffset.advanced(by: Int64(header.lastOffsetDelta) + 1))
    }
}

/// What a log knows of one producer (KIP-98). A value inside `ProducerStates`.
public struct ProducerState: Hashable, Sendable {
    /// A client may have five requests in flight, so it may send the last five batches again.
    static let rememberedBatches = 5

    public internal(set) var epoch: Int16
    /// The last batches, oldest first.
    var recent: [AppendedBatch] = []
    /// When it was heard of last, in milliseconds since the epoch.
    public internal(set) var lastUsed: Int64
    /// Of the coordinator that wrote its last transaction marker; -1 if there was none.
    public internal(set) var coordinatorEpoch: Int32 = -1
    /// Where its open transaction begins; nil if there is none.
    public internal(set) var openSince: Offset?
    /// Whether the open transaction has any record, which compaction may have taken away.
    var hasOpenRecords = false

    /// The sequence number of the last record; -1 if it is not known.
    public var lastSequence: Int32 { recent.last?.lastSequence ?? -1 }

    /// Takes note of a batch of records that is in the log at `baseOffset`.
    ///
    /// - Returns: whether it begins a transaction.
    mutating func note(_ header: RecordBatchHeader, at baseOffset: Offset, _ now: Int64) -> Bool {
        raise(to: header.producerEpoch)
        if header.baseSequence >= 0 { remember(AppendedBatch(header, at: baseOffset)) }
        lastUsed = max(lastUsed, now)
        guard header.isTransactional else { return false }
        if header.recordCount > 0 { hasOpenRecords = true }
        guard openSince == nil else { return false }
        openSince = baseOffset
        return true
    }

    private mutating func remember(_ batch: AppendedBatch) {
        if recent.count == Self.rememberedBatches { recent.removeFirst() }
        recent.append(batch)
    }

    /// A new epoch counts its sequence numbers from zero.
    mutating func raise(to epoch: Int16) {
        guard epoch != self.epoch else { return }
        self.epoch = epoch
        recent = []
    }
}

/// What becomes of a producer's batch.
public enum ProducerVerdict: Hashable, Sendable {
    case append
    /// It is to be appended and begins a transaction.
    case appendBeginningTransaction
    /// The batch is there already.
    case duplicate(AppendedBatch)
    case refuse(ProducerRefusal)
}

/// Why a producer's batch is refused.
public enum ProducerRefusal: Hashable, Sendable {
    /// Its epoch or sequence number is none.
    case malformed
    /// A later epoch of the producer has been seen.
    case fenced
    /// Batches are missing before it.
    case outOfOrder
    /// It is not part of the transaction that its producer has open.
    case outsideTransaction
}
