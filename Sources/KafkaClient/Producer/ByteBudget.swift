import Synchronization

/// Holds senders back while too many bytes wait. Owned by ``ProducerCore``; any thread.
final class ByteBudget: Sendable {
    private let limit: Int
    private let used = Mutex(0)
    private let released = Signal()

    init(limit: Int) {
        self.limit = limit
    }

    /// Returns when there is room. Something larger than the limit passes when nothing else waits.
    func reserve(_ bytes: Int) async throws {
        while true {
            let version = released.version
            let fits = used.withLock { used in
                guard used == 0 || used + bytes <= limit else { return false }
                used += bytes
                return true
            }
            if fits { return }
            try await released.wait(after: version)
        }
    }

    func release(_ bytes: Int) {
        used.withLock { $0 -= bytes }
        released.notify()
    }
}
