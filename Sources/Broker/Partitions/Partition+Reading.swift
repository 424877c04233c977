import CommitLog
import KafkaProtocol
import Logging
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
        let lastStableOffset: Offset
        /// Where to look for the transactions in the slice that were aborted; nil for who does not ask.
        let aborted: AbortedTransactionSearch?
        let logStartOffset: Offset
        /// Whether some of it was written before this broker started: what lay on a disk is checked when it is read.
        let isOfEarlierRun: Bool
    }

    /// - Parameters:
    ///   - isolation: with `readCommitted` the slice ends at the last stable offset.
    ///   - currentLeaderEpoch: what the client believes; -1 if it does not say.
    ///   - wait: kept and told when more may be read; nil not to wait.
    func view(
        from offset: Offset, maximumBytes: Int, isolation: IsolationLevel = .readUncommitted,
        currentLeaderEpoch: Int32, registering wait: FetchWait?
    ) -> Result<View, Refusal> {
        if let code = self.epochError(currentLeaderEpoch) { return .failure(Refusal(code, nil)) }
        var problem: LogError?
        let outcome: Result<View, Refusal> = self.state.withLock { state in
            if let code = state.closedBy { return .failure(Refusal(code, nil)) }
            guard offset >= state.log.logStartOffset, offset <= state.log.logEndOffset else {
                return .failure(Refusal(.offsetOutOfRange, nil))
            }
            let stable = state.log.lastStableOffset(highWatermark: state.highWatermark)
            let isCommitted = isolation == .readCommitted
            let end = isCommitted ? stable : state.highWatermark
            var slice: LogSlice?
            if offset < end && maximumBytes > 0 {
                do throws(LogError) {
                    slice = try state.log.locate(
                        from: offset, maximumBytes: maximumBytes, upTo: end)
                } catch {
                    problem = error
                    return .failure(Refusal(.kafkaStorageError, nil))
                }
            }
            if let wait { state.fetchWaits.append(wait) }
            let aborted =
                isCommitted && slice != nil ? state.log.abortedTransactionSearch(from: offset) : nil
            return .success(
                View(
                    slice: slice, highWatermark: state.highWatermark, lastStableOffset: stable, aborted: aborted,
                    logStartOffset: state.log.logStartOffset, isOfEarlierRun: offset < self.openedAt))
        }
        if let problem { self.complain(about: offset, problem) }
        return outcome
    }

    /// Says that records cannot be read. A consumer asks again and again, so the same trouble is said once.
    func complain(about offset: Offset, _ error: LogError) {
        let isNew = self.readTrouble.withLock { trouble in
            defer { trouble = error }
            return trouble != error
        }
        guard isNew else { return }
        self.resources.logger.error("\(self.name): offset \(offset) cannot be read: \(error)")
        // Closing the log must not vouch for what is damaged.
        if case .corrupt = error { self.state.withLock { $0.log.distrust() } }
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
    func match(forTimestamp timestamp: Int64, _ isolation: IsolationLevel) throws(LogError) -> TimestampSearch.Match? {
        try self.visible(self.state.withLock { $0.log.timestampSearch(for: timestamp) }, isolation)
    }

    /// The first record with the largest timestamp. Reads the disk.
    func matchOfLargestTimestamp(_ isolation: IsolationLevel) throws(LogError) -> TimestampSearch.Match? {
        try self.visible(self.state.withLock { $0.log.largestTimestampSearch() }, isolation)
    }

    /// The offsets that ListOffsets 0 answers with, the latest first, as Kafka has them: where segments begin whose records
    /// are all of `time` (milliseconds) or before, and the high watermark if `time` is now or later.
    ///
    /// - Parameter time: nil for no bound.
    func segmentOffsets(until time: Int64?, now: Int64) -> [Offset] {
        let (starts, highWatermark) = self.state.withLock { ($0.log.segmentStarts, $0.highWatermark) }
        var offsets = starts.filter { start in
            start.offset < highWatermark && time.map { start.largestTimestamp ?? .min <= $0 } ?? true
        }.map(\.offset)
        if time.map({ $0 >= now }) ?? true { offsets.append(highWatermark) }
        return offsets.reversed()
    }

    private func visible(
        _ search: TimestampSearch, _ isolation: IsolationLevel
    ) throws(LogError) -> TimestampSearch.Match? {
        guard let found = try search.find() else { return nil }
        return found.offset < self.readableEnd(isolation) ? found : nil
    }

    /// Up to where consumers may read.
    func readableEnd(_ isolation: IsolationLevel) -> Offset {
        self.state.withLock { state in
            guard isolation == .readCommitted else { return state.highWatermark }
            return state.log.lastStableOffset(highWatermark: state.highWatermark)
        }
    }

    /// Batches from `offset` on, also those that consumers do not see yet. Reads the disk.
    func readAll(from offset: Offset, maximumBytes: Int) throws(LogError) -> ByteBuffer {
        try self.state.withLock { (state) throws(LogError) in
            try state.log.locate(from: offset, maximumBytes: maximumBytes)
        }.read()
    }
}
