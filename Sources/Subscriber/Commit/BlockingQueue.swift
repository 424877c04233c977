internal import Dispatch

/// A thread for work that blocks on the disk, so that none of the tasks' threads does. Work runs in the order of the
/// calls, and to its end even when the calling task is cancelled.
struct BlockingQueue: Sendable {
    private let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: work)) }
        }
    }
}
