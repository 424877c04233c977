import CommitLog
import Synchronization

/// Compacts partitions. Owned by the housekeeper and called on its thread.
///
/// A log is compacted when enough of it is new, as its policy says. Tombstones and transaction markers outlive the pass
/// that first sees them, so once per `delete.retention.ms` a log is gone over even if nothing is new in it.
final class CompactionWork: Sendable {
    /// Memory for the keys of one pass.
    private let mapBytes: Int
    private let began: Int64
    /// When each partition was last gone over whatever was new, in milliseconds since the epoch.
    private let wholePasses = Mutex<[String: Int64]>([:])

    /// However short `delete.retention.ms` is, a log is not gone over for tombstones alone more often than this.
    private static let shortestTombstoneInterval: Int64 = 60_000

    init(mapBytes: Int, now: Int64) {
        self.mapBytes = mapBytes
        self.began = now
    }

    /// Waits for the disk.
    ///
    /// - Returns: nil when there was nothing to do.
    func run(
        _ policy: CompactionPolicy, _ partition: Partition, isStopping: () -> Bool
    ) throws(LogError) -> CompactionReport? {
        let now = partition.resources.clock.wallMilliseconds()
        var policy = policy
        policy.mapBytes = self.mapBytes
        let last = self.wholePasses.withLock { $0[partition.name] } ?? self.began
        let interval = max(policy.deleteRetentionMilliseconds, Self.shortestTombstoneInterval)
        let (silence, overflow) = now.subtractingReportingOverflow(last)
        if !overflow, silence > interval {
            policy.minimumDirtyRatio = 0
            self.wholePasses.withLock { $0[partition.name] = now }
        } else {
            // A ratio of 0 means at every new segment, not over and over.
            policy.minimumDirtyRatio = max(policy.minimumDirtyRatio, .leastNormalMagnitude)
        }
        return try partition.compact(policy, now: now, isStopping: isStopping)
    }
}
