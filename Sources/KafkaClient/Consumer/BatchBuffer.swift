import DequeModule
import Synchronization

/// What was fetched and waits to be consumed; bounded in bytes. Between the fetching tasks and whoever iterates.
///
/// It also knows whether a batch that was handed out is still being worked on: partitions are not given up before.
final class BatchBuffer: Sendable {
    private struct State {
        var waiting: Deque<ConsumedBatch> = []
        var byteCount = 0
        /// Batches of another assignment are not taken in.
        var assignmentNumber: UInt64 = 0
        /// Handed out, and the iterator has not come back.
        var outstanding = 0
        var end: Result<Void, any Error>?
    }

    private let limit: Int
    private let state = Mutex(State())
    private let arrived = Signal()
    private let taken = Signal()

    init(limit: Int) {
        self.limit = limit
    }

    /// Adds a batch, unless it belongs to an assignment that is over.
    func append(_ batch: ConsumedBatch) {
        let isTaken = state.withLock { state in
            guard batch.assignmentNumber == state.assignmentNumber, state.end == nil else { return false }
            state.waiting.append(batch)
            state.byteCount += batch.byteCount
            return true
        }
        if isTaken { arrived.notify() }
    }

    /// Returns when less than the limit waits.
    func waitForRoom() async throws {
        while true {
            let version = taken.version
            if state.withLock({ $0.byteCount < limit }) { return }
            try await taken.wait(after: version)
        }
    }

    /// The next batch; nil after the end. Counts as handed out until ``returned()``.
    func next() async throws -> ConsumedBatch? {
        while true {
            let version = arrived.version
            let step = state.withLock { state -> Result<ConsumedBatch?, any Error>? in
                if let batch = state.waiting.popFirst() {
                    state.byteCount -= batch.byteCount
                    state.outstanding += 1
                    return .success(batch)
                }
                return state.end.map { $0.map { nil } }
            }
            if let step {
                taken.notify()
                return try step.get()
            }
            try await arrived.wait(after: version)
        }
    }

    /// A batch that was handed out has been dealt with.
    func returned() {
        state.withLock { $0.outstanding -= 1 }
        taken.notify()
    }

    /// Drops what waits, and takes in only batches of the given assignment from now on.
    func begin(assignmentNumber: UInt64) {
        state.withLock { state in
            state.waiting.removeAll()
            state.byteCount = 0
            state.assignmentNumber = assignmentNumber
        }
        taken.notify()
    }

    /// Returns when no batch is being worked on, or at the deadline.
    func waitUntilIdle(deadline: ContinuousClock.Instant) async throws {
        while deadline > .now {
            let version = taken.version
            if state.withLock({ $0.outstanding == 0 }) { return }
            try await taken.wait(after: version, until: deadline)
        }
    }

    /// Drops what waits; the iterator gets the error, or nil.
    func finish(_ result: Result<Void, any Error>) {
        state.withLock { state in
            state.waiting.removeAll()
            state.byteCount = 0
            if state.end == nil { state.end = result }
        }
        arrived.notify()
        taken.notify()
    }
}
