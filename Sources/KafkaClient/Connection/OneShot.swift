import Synchronization

/// A result that one thread delivers and one task awaits; the first result stays, later ones are ignored.
///
/// The waiting task's cancellation counts as a result, so whoever delivers need not know about cancellation.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case awaited(CheckedContinuation<Value, any Error>)
        case done(Result<Value, any Error>)
    }

    private let state = Mutex(State.empty)

    init() {}

    var isDone: Bool {
        state.withLock { if case .done = $0 { true } else { false } }
    }

    /// Delivers. False if there was a result already.
    @discardableResult
    func complete(_ result: Result<Value, any Error>) -> Bool {
        let (isFirst, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Value, any Error>?) in
            switch state {
            case .empty:
                state = .done(result)
                return (true, nil)
            case .awaited(let continuation):
                state = .done(result)
                return (true, continuation)
            case .done:
                return (false, nil)
            }
        }
        waiter?.resume(with: result)
        return isFirst
    }

    /// The result. To be awaited once.
    func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Value, any Error>? = state.withLock { state in
                    if case .done(let result) = state { return result }
                    if Task.isCancelled {
                        let result = Result<Value, any Error>.failure(CancellationError())
                        state = .done(result)
                        return result
                    }
                    state = .awaited(continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            complete(.failure(CancellationError()))
        }
    }
}
