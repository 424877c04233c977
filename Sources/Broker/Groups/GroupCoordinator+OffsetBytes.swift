import Logging
import NIOCore

/// How much memory committed offsets may take: they stay until their retention is over.
extension GroupCoordinator {
    /// Whether offsets may be committed for a group; says and counts it when they may not. Those that replace others of the
    /// same size always may, so that consumers go on.
    ///
    /// - Parameter isPending: whether they are part of a transaction, and so replace nothing yet.
    func hasRoom(for offsets: [(PartitionName, CommittedOffset)], isPending: Bool, group id: String) -> Bool {
        let present = isPending ? CommittedOffsets() : self.rooms.value.groups[id]?.offsets ?? CommittedOffsets()
        let growth = offsets.reduce(0) { growth, next in
            let (name, offset) = next
            return growth + offset.byteCount(for: name) - (present[name]?.byteCount(for: name) ?? 0)
        }
        guard growth > 0 else { return true }
        // Seldom: when a group has come to a partition for the first time.
        let all = self.rooms.value.groups.values.reduce(growth) { $0 + $1.offsets.byteCount + $1.pending.byteCount }
        guard all > self.limits.committedOffsetBytes else { return true }
        self.counters.reached(.committedOffsetBytes)
        self.logger.warning(
            """
            group \(id.debugDescription): a commit is refused: \(all) bytes for the offsets of all groups are over the limit \
            of \(self.limits.committedOffsetBytes) (--max-offset-memory); delete groups or raise it
            """)
        return false
    }
}
