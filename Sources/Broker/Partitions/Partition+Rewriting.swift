import CommitLog
import Logging
import NIOPosix
import RecordBatch
import Synchronization

/// Replacing a partition's records by fewer that say the same, as `__consumer_offsets` needs.
///
/// What is appended between the two steps stays. A kill in between leaves old and new records, which is no harm, as
/// the last record of a key counts.
extension Partition {
    /// Begins a new segment.
    /// - Returns: the offset at which the new records begin.
    func beginRewrite() throws(LogError) -> Offset {
        try self.state.withLock { (state) throws(LogError) in
            try state.log.roll()
            return state.log.logEndOffset
        }
    }

    /// Syncs the new records, then removes the segments before `base`. Runs on the thread pool.
    func finishRewrite(from base: Offset) {
        self.resources.pool.submit { _ in
            do throws(LogError) {
                try self.state.withLock { $0.log.syncPoint() }.perform()
                try self.state.withLock { (state) throws(LogError) in
                    _ = try state.log.deleteSegments(before: base)
                }
            } catch {
                self.resources.logger.error("\(self.name): old segments could not be removed: \(error)")
            }
        }
    }

    var byteCount: Int { self.state.withLock { $0.log.byteCount } }
}
