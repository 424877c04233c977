import Synchronization

/// Tells waiting tasks that some state changed. The state itself lives elsewhere, behind its owner's lock.
///
/// A waiter reads `version`, looks at the state, and waits for a later version, so no change falls between looking
/// and waiting. Any thread may notify. Never notified under the owner's lock.
final class Signal: Sendable {
    private struct State {
        var version: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    }

    private let state = Mutex(State())

    /// Grows with each notification.
    var version: UInt64 { state.withLock { $0.version } }

    /// Wakes everybody who waits.
    func notify() {
        let woken = state.withLock { state in
            state.version += 1
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for waiter in woken { waiter.resume() }
    }

    /// Returns once the version is later than `seen`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    func wait(after seen: UInt64) async throws {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.version != seen { return .success(()) }
                    state.waiters[id] = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(throwing: CancellationError())
        }
    }

    /// Returns once the version is later than `seen`, or at `deadline`, whichever comes first.
    func wait(after seen: UInt64, until deadline: ContinuousClock.Instant) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.wait(after: seen) }
            group.addTask { try await Task.sleep(until: deadline, clock: .continuous) }
            try await group.next()
            group.cancelAll()
        }
    }
}
