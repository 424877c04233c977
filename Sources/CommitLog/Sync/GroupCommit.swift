public import RecordBatch

/// Decides who syncs, so that one sync serves all appends that wait for it. A pure state machine without threads or
/// I/O, owned behind the same lock as the log.
///
/// The owner, under the lock: appends, then `wait`. When that answers true it has a worker thread run this loop:
/// under the lock `syncPoint()` and `begin`; outside it `perform()`; under the lock `finish`; then, outside the lock, it
/// completes the waiters that `finish` has released, and runs the loop again while `finish` says so.
public struct GroupCommit<Waiter> {
    private struct Waiting {
        let endOffset: Offset
        let waiter: Waiter
    }

    private enum State {
        case idle
        /// A worker has been asked for and has not begun.
        case scheduled
        /// A sync up to this offset is under way.
        case syncing(Offset)
    }

    private var state = State.idle
    private var waiting: [Waiting] = []

    public init() {}

    /// How many waiters there are.
    public var waiterCount: Int { waiting.count }

    /// Adds a waiter that is done once everything before `endOffset` is on disk.
    ///
    /// - Returns: whether the caller must start a worker.
    public mutating func wait(until endOffset: Offset, _ waiter: Waiter) -> Bool {
        waiting.append(Waiting(endOffset: endOffset, waiter: waiter))
        guard case .idle = state else { return false }
        state = .scheduled
        return true
    }

    /// Asks for a sync that nobody waits for.
    ///
    /// - Returns: whether the caller must start a worker.
    public mutating func ask() -> Bool {
        guard case .idle = state else { return false }
        state = .scheduled
        return true
    }

    /// The worker has taken a sync point at `endOffset` and is about to perform it.
    public mutating func begin(_ endOffset: Offset) {
        state = .syncing(endOffset)
    }

    /// The worker's sync has ended.
    ///
    /// - Parameter succeeded: false releases all waiters, because the log is fenced then.
    /// - Returns: the waiters to be completed with the sync's result, in the order in which they came, and whether the
    ///   worker must sync again for others.
    public mutating func finish(succeeded: Bool) -> (released: [Waiter], syncAgain: Bool) {
        guard case .syncing(let endOffset) = state else { return ([], false) }
        var released: [Waiter] = []
        if succeeded {
            var later: [Waiting] = []
            for one in waiting {
                if one.endOffset <= endOffset { released.append(one.waiter) } else { later.append(one) }
            }
            waiting = later
        } else {
            released = waiting.map(\.waiter)
            waiting = []
        }
        state = waiting.isEmpty ? .idle : .scheduled
        return (released, !waiting.isEmpty)
    }
}
