public import RecordBatch

/// How much of a log is kept. What goes goes a whole segment at a time.
public struct Retention: Hashable, Sendable {
    /// A segment goes when its largest timestamp is further back than this (`retention.ms`); nil keeps it for ever.
    public var milliseconds: Int64?
    /// The oldest segments go as long as what stays has at least this many bytes (`retention.bytes`); nil keeps all.
    public var bytes: Int?

    public init(milliseconds: Int64? = nil, bytes: Int? = nil) {
        self.milliseconds = milliseconds
        self.bytes = bytes
    }
}

extension Log {
    /// Segments that one call of `deleteExpired` takes out, so that the owner's lock is held for a moment only.
    public static let maximumExpiredAtOnce = 16

    /// Begins a new segment when the active one is older than the configuration's `segmentAge`: `now` is that much later
    /// than its first batch. Without it a log that gets no more appends would keep its last segment for ever from
    /// compaction. A segment whose first batch has no timestamp does not age.
    ///
    /// - Parameter now: milliseconds since the epoch.
    @discardableResult
    public mutating func rollIfAged(now: Int64) throws(LogError) -> Bool {
        guard active.isAged(at: now, configuration) else { return false }
        try roll()
        return true
    }

    /// Takes the oldest segments out of the log that retention does not keep, or that lie before the log start offset; the
    /// active one, too, when all of it has expired. At most `maximumExpiredAtOnce`: call it again while it finds any.
    ///
    /// The age of a segment without timestamps is that of its file.
    ///
    /// - Parameters:
    ///   - now: milliseconds since the epoch.
    ///   - upTo: segments that go beyond this offset stay: the high watermark, where there is one.
    /// - Returns: the segments' files, to be removed outside the lock.
    public mutating func deleteExpired(
        now: Int64, retention: Retention, upTo: Offset? = nil
    ) throws(LogError) -> SegmentRemoval {
        try progress.check()
        var count = 0
        var rest = byteCount
        while count < sealed.count, count < Self.maximumExpiredAtOnce,
            try isExpired(sealed[count], of: rest, now: now, retention, upTo: upTo)
        {
            rest -= sealed[count].byteCount
            count += 1
        }
        var removal = try retire(count)
        guard sealed.isEmpty, count < Self.maximumExpiredAtOnce, active.byteCount > 0,
            try isExpired(active.sealed(), of: rest, now: now, retention, upTo: upTo),
            // On a full disk there may be no new segment until the others' files are removed.
            (try? roll()) != nil
        else { return removal }
        removal.merge(try retire(1))
        return removal
    }

    private func isExpired(
        _ segment: SealedSegment, of bytes: Int, now: Int64, _ retention: Retention, upTo: Offset?
    ) throws(LogError) -> Bool {
        guard segment.nextOffset <= upTo ?? segment.nextOffset else { return false }
        if segment.nextOffset <= readableFrom { return true }
        if let limit = retention.bytes, bytes - segment.byteCount >= limit { return true }
        guard let limit = retention.milliseconds else { return false }
        let newest =
            if let timestamp = segment.largestTimestamp { timestamp } else {
                try directory.open(segment.name.log, .read).modified()
            }
        let (age, overflow) = now.subtractingReportingOverflow(newest)
        return !overflow && age > limit
    }
}
