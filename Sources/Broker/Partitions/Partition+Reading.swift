import CommitLog
import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization

/// Reading: where records are is decided under the lock; their bytes are read outside it.
extension Partition {
    /// What a fetch finds in one partition.
    struct View: Sendable {
        /// The batches from the fetch offset on; nil if there are none yet.
        let slice: LogSlice?
        let highWatermark: Offset
        let logStartOffset: Offset
        /// Whether the bytes are surely in the page cache.
        let isHot: Bool
    }

    /// - Parameters:
    ///   - currentLeaderEpoch: what the client believes; -1 if it does not say.
    ///   - wait: kept and told when more may be read; nil not to wait.
    func view(
        from offset: Offset, maximumBytes: Int, currentLeaderEpoch: Int32, registering wait: FetchWait?
    ) -> Result<View, ErrorCode> {
        if let code = self.epochError(currentLeaderEpoch) { return .failure(code) }
        var problem: LogError?
        let outcome: Result<View, ErrorCode> = self.state.withLock { state in
            if let code = state.closedBy { return .failure(code) }
            guard offset >= state.log.logStartOffset, offset <= state.log.logEndOffset else {
                return .failure(.offsetOutOfRange)
            }
            var slice: LogSlice?
            if offset < state.highWatermark && maximumBytes > 0 {
                do throws(LogError) {
                    slice = try state.log.locate(
                        from: offset, maximumBytes: maximumBytes, upTo: state.highWatermark)
                } catch {
                    problem = error
                    return .failure(.kafkaStorageError)
                }
            }
            if let wait { state.fetchWaits.append(wait) }
            return .success(
                View(
                    slice: slice, highWatermark: state.highWatermark, logStartOffset: state.log.logStartOffset,
                    isHot: state.hot.contains(offset)))
        }
        if let problem { self.resources.logger.error("\(self.name): offset \(offset) cannot be read: \(problem)") }
        return outcome
    }

    /// Forgets a fetch that has been answered.
    func forget(_ wait: FetchWait) {
        self.state.withLock { state in
            if let index = state.fetchWaits.firstIndex(where: { $0 === wait }) {
                state.fetchWaits.swapAt(index, state.fetchWaits.count - 1)
                state.fetchWaits.removeLast()
            }
        }
    }

    func epochError(_ currentLeaderEpoch: Int32) -> ErrorCode? {
        if currentLeaderEpoch < 0 || currentLeaderEpoch == self.leaderEpoch { return nil }
        return currentLeaderEpoch < self.leaderEpoch ? .fencedLeaderEpoch : .unknownLeaderEpoch
    }

    /// The first record that consumers may read with this timestamp or a later one. Reads the disk.
    func offset(forTimestamp timestamp: Int64) throws(LogError) -> (offset: Offset, timestamp: Int64)? {
        try self.state.withLock { (state) throws(LogError) in
            guard let found = try state.log.offset(forTimestamp: timestamp), found.offset < state.highWatermark else {
                return nil
            }
            return (found.offset, found.timestamp)
        }
    }
}
