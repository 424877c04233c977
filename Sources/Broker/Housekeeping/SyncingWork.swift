import NIOCore
import RecordBatch
import Synchronization

/// Has partitions synced whose topics say how long records may wait for that (`flush.ms`). Owned by the housekeeper and
/// called on its thread.
final class SyncingWork: Sendable {
    private struct Unsynced {
        let end: Offset
        let since: NIODeadline
    }

    /// Partitions that had something to sync at an earlier look.
    private let unsynced = Mutex<[String: Unsynced]>([:])

    /// - Parameter age: what the topic says, in milliseconds; nil for nothing.
    func run(_ age: Int64?, _ partition: Partition, now: NIODeadline) {
        let isDue = self.unsynced.withLock { unsynced in
            guard let age, let end = partition.unsyncedEnd else {
                if !unsynced.isEmpty { unsynced[partition.name] = nil }
                return false
            }
            if let known = unsynced[partition.name], partition.syncedOffset < known.end {
                guard now - known.since >= .milliseconds(min(age, Int64(Int32.max))) else { return false }
                unsynced[partition.name] = nil
                return true
            }
            unsynced[partition.name] = Unsynced(end: end, since: now)
            return age == 0
        }
        if isDue { partition.sync() }
    }
}
