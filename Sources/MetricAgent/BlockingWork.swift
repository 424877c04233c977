import NIOPosix
import Synchronization

/// Work that blocks a thread, kept off the threads that run tasks.
enum BlockingWork {
    /// Runs `body` on a thread for blocking work, to its end, also when the task is cancelled.
    static func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { _ in
                do throws(Failure) {
                    continuation.resume(returning: Result<Value, Failure>.success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// Runs `body` on a thread for blocking work. When the task is cancelled this returns nil at once, and what `body`
    /// does meanwhile is heard by nobody: a dead network mount must not hold up the agent's end.
    static func runUnlessCancelled<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        let outcome = Outcome<Value>()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                outcome.wait(with: continuation)
                NIOThreadPool.singleton.submit { _ in outcome.finish(body()) }
            }
        } onCancel: {
            outcome.finish(nil)
        }
    }

    /// The first result counts.
    private final class Outcome<Value: Sendable>: Sendable {
        private enum State {
            case new
            case awaited(CheckedContinuation<Value?, Never>)
            case finished(Value?)
        }

        private let state = Mutex(State.new)

        func wait(with continuation: CheckedContinuation<Value?, Never>) {
            let early: Value?? = state.withLock { state in
                if case .finished(let value) = state { return .some(value) }
                state = .awaited(continuation)
                return nil
            }
            if let early { continuation.resume(returning: early) }
        }

        func finish(_ value: Value?) {
            let waiting: CheckedContinuation<Value?, Never>? = state.withLock { state in
                switch state {
                case .new:
                    state = .finished(value)
                    return nil
                case .awaited(let continuation):
                    state = .finished(value)
                    return continuation
                case .finished:
                    return nil
                }
            }
            waiting?.resume(returning: value)
        }
    }
}
