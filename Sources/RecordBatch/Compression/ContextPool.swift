internal import Synchronization

/// Keeps a few costly values (codec contexts, scratch memory) between uses. Shared by all threads; a value belongs to
/// one borrower at a time.
final class ContextPool<Context>: Sendable {
    /// Hands a value from one thread to the next: only one of them can reach it at any time, which the compiler
    /// cannot see through the array.
    private struct Idle: @unchecked Sendable {
        let context: Context
    }

    private let idle = Mutex<[Idle]>([])
    private let maximumIdle: Int

    /// - Parameter maximumIdle: values beyond this are given up after use, so that a burst does not pin memory.
    init(maximumIdle: Int) {
        self.maximumIdle = maximumIdle
    }

    /// An idle value, if there is one.
    func borrow() -> Context? {
        idle.withLock { $0.popLast() }?.context
    }

    /// Returns a value for later use. The caller must not touch it again.
    func giveBack(_ context: Context) {
        let returned = Idle(context: context)
        idle.withLock {
            if $0.count < maximumIdle { $0.append(returned) }
        }
    }
}
