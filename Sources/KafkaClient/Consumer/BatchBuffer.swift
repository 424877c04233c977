import DequeModule
import KafkaProtocol
import RecordBatch
import Synchronization

/// What was fetched and waits to be consumed; bounded in bytes. Between the fetching tasks and whoever iterates.
///
/// It also knows which partitions' batches were handed out and are still being worked on: these are not given up before.
final class BatchBuffer: Sendable {
    private struct State {
        var waiting: Deque<ConsumedBatch> = []
        var byteCount = 0
        /// Handed out, and the iterator has not come back.
        var outstanding: [TopicPartition: Int] = [:]
        var end: Result<Void, any Error>?
    }

    private let limit: Int
    private let state = Mutex(State())
    private let arrived = Signal()
    private let taken = Signal()

    init(limit: Int) {
        self.limit = limit
    }

    /// Adds a batch. The caller sees to it that its partition is being read.
    func append(_ batch: ConsumedBatch) {
        let isTaken = state.withLock { state in
            guard state.end == nil else { return false }
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

    /// The next batch; nil after the end. Counts as handed out until ``returned(_:)``.
    func next() async throws -> ConsumedBatch? {
        while true {
            let version = arrived.version
            let step = state.withLock { state -> Result<ConsumedBatch?, any Error>? in
                if let batch = state.waiting.popFirst() {
                    state.byteCount -= batch.byteCount
                    state.outstanding[batch.topicPartition, default: 0] += 1
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

    /// A batch of this partition that was handed out has been dealt with.
    func returned(_ partition: TopicPartition) {
        state.withLock { state in
            guard let count = state.outstanding[partition] else { return }
            state.outstanding[partition] = count > 1 ? count - 1 : nil
        }
        taken.notify()
    }

    /// Drops what waits of these partitions.
    ///
    /// - Returns: where the dropped records of each partition begin.
    @discardableResult
    func drop(_ isDropped: (TopicPartition) -> Bool) -> [TopicPartition: Offset] {
        let dropped = state.withLock { state in
            var dropped: [TopicPartition: Offset] = [:]
            var kept: Deque<ConsumedBatch> = []
            for batch in state.waiting {
                guard isDropped(batch.topicPartition) else {
                    kept.append(batch)
                    continue
                }
                state.byteCount -= batch.byteCount
                if dropped[batch.topicPartition] == nil { dropped[batch.topicPartition] = batch.firstOffset }
            }
            state.waiting = kept
            return dropped
        }
        taken.notify()
        return dropped
    }

    /// Returns when no batch of these partitions is being worked on, or at the deadline.
    func waitUntilIdle(_ partitions: Set<TopicPartition>, deadline: ContinuousClock.Instant) async throws {
        while deadline > .now {
            let version = taken.version
            if state.withLock({ $0.outstanding.keys.allSatisfy { !partitions.contains($0) } }) { return }
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
