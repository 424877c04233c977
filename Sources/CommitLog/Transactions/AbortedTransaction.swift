internal import NIOCore
public import RecordBatch

// A segment's `.txnindex`: the transactions whose abort markers are in the segment, in the order of the markers. Kafka's
// format; entries of 34 bytes, big-endian. A segment without such markers has no file.
//
//      version Int16 (0) | producer id Int64 | first offset Int64 | last offset Int64 | last stable offset Int64
//
// The last offset is the marker's; the last stable offset is what it was once the marker was there.

/// A transaction that was aborted: consumers are to skip its producer's records from the first offset to the marker.
public struct AbortedTransaction: Hashable, Sendable {
    static let byteCount = 34
    private static let version: Int16 = 0

    public let producerID: Int64
    public let firstOffset: Offset
    /// The marker's.
    public let lastOffset: Offset
    let lastStableOffset: Offset

    func write(to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            Self.version, producerID, firstOffset.rawValue, lastOffset.rawValue, lastStableOffset.rawValue)
    }

    static func encode(_ transactions: some Sequence<AbortedTransaction>) -> ByteBuffer {
        var buffer = ByteBuffer()
        for transaction in transactions { transaction.write(to: &buffer) }
        return buffer
    }

    /// - Returns: nil when the bytes are no such entries, in the order of their markers.
    static func decode(_ bytes: ByteBuffer) -> [AbortedTransaction]? {
        guard bytes.readableBytes % byteCount == 0 else { return nil }
        var reader = bytes
        var transactions: [AbortedTransaction] = []
        transactions.reserveCapacity(bytes.readableBytes / byteCount)
        while let (version, id, first, last, stable) = reader.readMultipleIntegers(
            as: (Int16, Int64, Int64, Int64, Int64).self)
        {
            guard version == Self.version, id >= 0, first >= 0, first <= last,
                last > transactions.last?.lastOffset.rawValue ?? -1
            else { return nil }
            transactions.append(
                AbortedTransaction(
                    producerID: id, firstOffset: Offset(first), lastOffset: Offset(last),
                    lastStableOffset: Offset(stable)))
        }
        return transactions
    }
}

/// A search for the aborted transactions in a stretch of a log, to be run outside the owner's lock. Taken under it.
public struct AbortedTransactionSearch: Sendable {
    let offset: Offset
    let directory: Directory
    /// Sealed segments with aborted transactions, oldest first.
    let sealed: [SealedSegment]
    /// Those of the active segment.
    let active: [AbortedTransaction]

    /// Whether the answer is in memory.
    public var isInMemory: Bool { sealed.isEmpty }

    /// Whether there is surely nothing to find.
    public var isEmpty: Bool { sealed.isEmpty && active.isEmpty }

    /// The transactions with records between the search's offset and `end`, by their markers' order. A segment deleted
    /// meanwhile is passed over.
    public func find(before end: Offset) throws(LogError) -> [AbortedTransaction] {
        var found: [AbortedTransaction] = []
        for segment in sealed {
            guard let transactions = try transactions(of: segment) else { continue }
            if collect(transactions, before: end, into: &found) { return found }
        }
        _ = collect(active, before: end, into: &found)
        return found
    }

    /// - Returns: nil when the segment was deleted meanwhile.
    private func transactions(of segment: SealedSegment) throws(LogError) -> [AbortedTransaction]? {
        guard segment.unwrittenAborted.isEmpty else { return segment.unwrittenAborted }
        guard let file = try directory.openIfPresent(segment.name.transactionIndex) else { return nil }
        let bytes = try file.read(count: segment.aborted?.byteCount ?? 0, at: 0)
        guard let transactions = AbortedTransaction.decode(bytes) else {
            throw .corrupt(path: file.path, position: 0, reason: "it is no list of aborted transactions")
        }
        return transactions
    }

    /// - Returns: whether there cannot be any more in later segments.
    private func collect(
        _ transactions: [AbortedTransaction], before end: Offset, into found: inout [AbortedTransaction]
    ) -> Bool {
        // Markers come in order, so what ended before the offset is at the beginning.
        var low = 0
        var high = transactions.count
        while low < high {
            let middle = (low + high) / 2
            if transactions[middle].lastOffset < offset { low = middle + 1 } else { high = middle }
        }
        for transaction in transactions[low...] {
            if transaction.firstOffset < end { found.append(transaction) }
            // Every transaction that ended later began at this offset or after it.
            if transaction.lastStableOffset >= end { return true }
        }
        return false
    }
}

extension Log {
    /// A search for the transactions with records from `offset` on that were aborted.
    public func abortedTransactionSearch(from offset: Offset) -> AbortedTransactionSearch {
        AbortedTransactionSearch(
            offset: offset, directory: directory,
            sealed: sealed[sealed.firstIndex(endingAfter: offset)...].filter { $0.aborted != nil },
            active: active.aborted)
    }
}
