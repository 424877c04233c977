import CommitLog
import Synchronization

/// What went wrong with which partition when it was last looked after, so that the same trouble is not said again and
/// again. Owned by the housekeeper; any thread may call it.
final class Complaints: Sendable {
    private struct Place: Hashable {
        let chore: Housekeeper.Chore
        let partition: String
    }

    private let standing = Mutex<[Place: LogError]>([:])

    /// Takes note of an error.
    ///
    /// - Returns: whether it is another one than last time.
    func isNew(_ chore: Housekeeper.Chore, _ partition: String, _ error: LogError) -> Bool {
        self.standing.withLock { $0.updateValue(error, forKey: Place(chore: chore, partition: partition)) != error }
    }

    /// All is well again.
    func withdraw(_ chore: Housekeeper.Chore, _ partition: String) {
        self.standing.withLock { if !$0.isEmpty { $0[Place(chore: chore, partition: partition)] = nil } }
    }

    /// Partitions that are gone are of no interest.
    func forgetAll(but partitions: Set<String>) {
        self.standing.withLock { standing in
            if !standing.isEmpty { standing = standing.filter { partitions.contains($0.key.partition) } }
        }
    }
}
