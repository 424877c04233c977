import KafkaProtocol
import RecordBatch

/// What one partition remembers of its idempotent producers, to refuse what is out of order and to recognise what
/// was sent again (KIP-98). A value inside `Partition`'s lock; rebuilt from the log at start.
struct ProducerTable: Sendable {
    /// A batch that was appended.
    struct Trace: Sendable, Equatable {
        let firstSequence: Int32
        let lastSequence: Int32
        let baseOffset: Offset
        let nextOffset: Offset
    }

    enum Verdict: Sendable, Equatable {
        case append
        /// The batch is there already.
        case duplicate(Trace)
        case refuse(ErrorCode)
    }

    private struct Entry: Sendable {
        var epoch: Int16
        /// The last five batches, oldest first; a client may have five requests in flight.
        var recent: [Trace]
        /// Milliseconds since the epoch.
        var lastUsed: Int64

        mutating func remember(_ trace: Trace, now: Int64) {
            if self.recent.count == ProducerTable.rememberedBatches { self.recent.removeFirst() }
            self.recent.append(trace)
            self.lastUsed = now
        }
    }

    private static let rememberedBatches = 5
    private let maximumProducers: Int
    private var entries: [Int64: Entry] = [:]

    init(maximumProducers: Int) {
        self.maximumProducers = maximumProducers
    }

    var count: Int { self.entries.count }

    func verdict(on header: RecordBatchHeader) -> Verdict {
        guard header.hasProducerID else { return .append }
        guard header.producerEpoch >= 0, header.baseSequence >= 0 else { return .refuse(.invalidRecord) }
        // A producer we do not know may begin anywhere: its earlier batches may have been removed with the log.
        guard let entry = self.entries[header.producerID] else { return .append }
        if header.producerEpoch < entry.epoch { return .refuse(.invalidProducerEpoch) }
        if header.producerEpoch > entry.epoch {
            return header.baseSequence == 0 ? .append : .refuse(.outOfOrderSequenceNumber)
        }
        let known = entry.recent.first {
            $0.firstSequence == header.baseSequence && $0.lastSequence == header.lastSequence
        }
        if let known { return .duplicate(known) }
        guard let last = entry.recent.last else { return .append }
        let expected = last.lastSequence == .max ? 0 : last.lastSequence + 1
        return header.baseSequence == expected ? .append : .refuse(.outOfOrderSequenceNumber)
    }

    /// Remembers a batch that has been appended at `baseOffset`.
    ///
    /// - Returns: how many producers were forgotten for it, as there are too many.
    @discardableResult
    mutating func record(_ header: RecordBatchHeader, at baseOffset: Offset, now: Int64) -> Int {
        guard header.hasProducerID, header.baseSequence >= 0 else { return 0 }
        let trace = Trace(
            firstSequence: header.baseSequence, lastSequence: header.lastSequence, baseOffset: baseOffset,
            nextOffset: baseOffset.advanced(by: Int64(header.lastOffsetDelta) + 1))
        if self.entries[header.producerID]?.epoch == header.producerEpoch {
            self.entries[header.producerID]?.remember(trace, now: now)
            return 0
        } else {
            self.entries[header.producerID] = Entry(epoch: header.producerEpoch, recent: [trace], lastUsed: now)
            return self.forgetOldest()
        }
    }

    /// Forgets in strides, so that a sort is paid for by many insertions.
    private mutating func forgetOldest() -> Int {
        guard self.entries.count > self.maximumProducers + self.maximumProducers / 4 else { return 0 }
        let oldest = self.entries.sorted { $0.value.lastUsed < $1.value.lastUsed }
        let surplus = self.entries.count - self.maximumProducers
        for (producerID, _) in oldest.prefix(surplus) {
            self.entries[producerID] = nil
        }
        return surplus
    }
}
