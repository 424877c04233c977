import Synchronization

/// A value, or an error, that comes once and for which any number of tasks may wait: a task that is cancelled gives up waiting, the
/// others go on. Any thread may resolve it; only the first time counts. (`OneShot` of the client belongs to one task, whose
/// cancellation is the result.)
final class Announcement<Value: Sendable>: Sendable {
    private struct State {
        var outcome: Result<Value, any Error>?
        var waiting: [UInt64: CheckedContinuation<Value, any Error>] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    func resolve(_ outcome: Result<Value, any Error>) {
        let waiting = self.state.withLock { state -> [CheckedContinuation<Value, any Error>] in
            guard state.outcome == nil else { return [] }
            state.outcome = outcome
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume(with: outcome) }
    }

    /// - Throws: the error it was resolved with, or `CancellationError` if the waiting task is cancelled.
    func value() async throws -> Value {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await self.wait(id)
        } onCancel: {
            let continuation = self.state.withLock { $0.waiting.removeValue(forKey: id) }
            continuation?.resume(throwing: CancellationError())
        }
    }

    /// Waits even if the task is cancelled; an error ends the wait like a value.
    func uncancellableValue() async {
        _ = try? await self.wait(0)
    }

    private func wait(_ id: UInt64) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let outcome = self.state.withLock { state -> Result<Value, any Error>? in
                if let outcome = state.outcome { return outcome }
                if id != 0 && Task.isCancelled { return .failure(CancellationError()) }
                state.waiting[id] = continuation
                return nil
            }
            if let outcome { continuation.resume(with: outcome) }
        }
    }
}
