public import RecordBatch

extension Log {
    /// Finds the bytes from `offset` on. Quick, for use under the owner's lock; the slice is read outside it.
    ///
    /// - Parameters:
    ///   - offset: at least the log start offset; at the log end offset the slice is empty.
    ///   - maximumBytes: whole batches are read up to this many bytes, but always at least one.
    ///   - upTo: only batches that end before this offset are read.
    /// - Throws: `LogError.offsetOutOfRange`, or why a sealed segment's files cannot be opened.
    public func locate(
        from offset: Offset, maximumBytes: Int, upTo: Offset? = nil
    ) throws(LogError) -> LogSlice {
        guard offset >= logStartOffset, offset <= logEndOffset else {
            throw .offsetOutOfRange(offset, logStart: logStartOffset, logEnd: logEndOffset, directory: path)
        }
        if offset == logEndOffset || upTo.map({ $0 <= offset }) ?? false {
            return LogSlice(offset: offset, upTo: upTo, maximumBytes: maximumBytes, source: .nothing, estimatedBytes: 0)
        }
        let index = sealed.firstIndex(endingAfter: offset)
        if index < sealed.count {
            let segment = try sealed[index].open(in: directory)
            return LogSlice(
                offset: offset, upTo: upTo, maximumBytes: maximumBytes, source: .sealed(segment),
                estimatedBytes: min(segment.byteCount, max(1, maximumBytes)))
        }
        let position = active.index.position(for: offset)
        let end = upTo.flatMap { active.index.positionAfter($0) } ?? active.byteCount
        return LogSlice(
            offset: offset, upTo: upTo, maximumBytes: maximumBytes,
            source: .active(
                active.file, position: position, likelyEnd: likelyEnd(from: offset, maximumBytes),
                end: active.byteCount),
            estimatedBytes: max(1, min(end - position, maximumBytes)))
    }

    /// The last end of a batch in the active segment that the index knows within `maximumBytes` of the batch with
    /// `offset`, so that half a batch need not be read in vain.
    private func likelyEnd(from offset: Offset, _ maximumBytes: Int) -> Int {
        // The batch with the offset begins here or before: at the first indexed one that ends at the offset or later. (The
        // segment's first batch is in no index.)
        let indexed = offset == active.baseOffset ? 0 : active.index.positionAfter(offset.advanced(by: -1))
        guard let start = indexed else { return active.byteCount }
        let limit = start.addingOrMax(maximumBytes)
        return limit >= active.byteCount ? active.byteCount : active.index.lastPosition(notAfter: limit)
    }

    /// The first record whose timestamp is at least `timestamp` (milliseconds); nil when there is none. Reads from disk
    /// on the spot: `timestampSearch` does that outside the owner's lock.
    public func offset(forTimestamp timestamp: Int64) throws(LogError) -> TimestampSearch.Match? {
        try timestampSearch(for: timestamp).find()
    }

    /// A search for the first record whose timestamp is at least `timestamp` (milliseconds), to be run outside the
    /// owner's lock.
    public func timestampSearch(for timestamp: Int64) -> TimestampSearch {
        TimestampSearch(
            goal: .atLeast(timestamp), start: logStartOffset, directory: directory,
            sealed: Array(sealed[sealed.firstIndex(endingAfter: logStartOffset)...]),
            active: TimestampSearch.Active(
                file: active.file, baseOffset: active.baseOffset, byteCount: active.byteCount,
                position: active.index.position(forTimestamp: timestamp), largest: active.index.largest?.timestamp))
    }

    /// A search for the first record with the log's largest timestamp, to be run outside the owner's lock.
    public func largestTimestampSearch() -> TimestampSearch {
        TimestampSearch(
            goal: .largest, start: logStartOffset, directory: directory,
            sealed: Array(sealed[sealed.firstIndex(endingAfter: logStartOffset)...]),
            active: TimestampSearch.Active(
                file: active.file, baseOffset: active.baseOffset, byteCount: active.byteCount,
                position: active.index.largest.map { active.index.position(forTimestamp: $0.timestamp) } ?? 0,
                largest: active.index.largest?.timestamp))
    }
}

extension [SealedSegment] {
    /// The index of the first segment whose batches go beyond `offset`; `count` when none does.
    func firstIndex(endingAfter offset: Offset) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].nextOffset <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
