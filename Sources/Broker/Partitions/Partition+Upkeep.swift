import CommitLog
import NIOPosix
import RecordBatch
import Synchronization

/// What the housekeeper does to a partition. All of it waits for the disk, but holds the lock for moments only.
extension Partition {
    /// Returns once nobody makes files in the partition's directory any more. Call it after closing.
    func waitForCompaction() {
        self.compaction.withLock { _ in }
    }

    /// Closes the active segment if it is too old, and removes the segments that retention does not keep.
    ///
    /// - Parameter retention: nil keeps everything that was not deleted by DeleteRecords.
    func expire(_ retention: Retention?) throws(LogError) -> (segments: Int, bytes: Int) {
        let now = self.resources.clock.wallMilliseconds()
        var removed = (segments: 0, bytes: 0)
        var isFirst = true
        while !self.isClosed {
            let removal = try self.state.withLock { (state) throws(LogError) in
                if isFirst { try state.log.rollIfAged(now: now) }
                return try state.log.deleteExpired(
                    now: now, retention: retention ?? Retention(), upTo: state.highWatermark)
            }
            isFirst = false
            try removal.perform()
            removed.segments += removal.segmentCount
            removed.bytes += removal.byteCount
            if removal.isEmpty { break }
        }
        return removed
    }

    /// Keeps only the last record of each key in the closed segments, if that is worth it.
    ///
    /// - Returns: nil when there was nothing to do.
    func compact(
        _ policy: CompactionPolicy, now: Int64, isStopping: () -> Bool
    ) throws(LogError) -> CompactionReport? {
        let visible = try self.state.withLock { (state) throws(LogError) in
            try state.log.rollIfAged(now: now)
            return state.highWatermark
        }
        return try self.compaction.withLock { (_) throws(LogError) in
            try Compactor.run(
                policy, now: now, upTo: visible, isCancelled: { isStopping() || self.isClosed }
            ) { (body) throws(LogError) in
                try self.state.withLock { (state) throws(LogError) in try body(&state.log) }
            }
        }
    }

    /// Where the log ends; nil when all of it is on the disk.
    var unsyncedEnd: Offset? {
        self.state.withLock { $0.log.syncedOffset < $0.log.logEndOffset ? $0.log.logEndOffset : nil }
    }

    var syncedOffset: Offset { self.state.withLock { $0.log.syncedOffset } }

    /// Has everything synced that was appended so far; nobody waits for it.
    func sync() {
        if self.state.withLock({ $0.commit.ask() }) { self.startSync() }
    }

    /// Obeys other settings from now on.
    func configure(_ settings: TopicSettings) {
        let log = settings.applied(to: self.resources.logConfiguration)
        self.state.withLock {
            $0.log.configuration = log
            $0.flushMessages = settings.flushMessages
        }
    }
}
