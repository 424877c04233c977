import CommitLog
import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// Losing records on purpose, and the settings of the log.
extension Partition {
    /// What DeleteRecords calls the high watermark.
    private static let everything: Int64 = -1

    /// Moves the log start offset and writes it down. Waits for the disk.
    ///
    /// - Parameter wanted: -1 for all that consumers may read.
    /// - Returns: the log start offset.
    func deleteRecords(before wanted: Int64) throws(Refusal) -> Offset {
        var problem: LogError?
        let outcome: Result<LogStartChange?, Refusal> = self.state.withLock { state in
            if let code = state.closedBy { return .failure(Refusal(code, nil)) }
            let offset = wanted == Self.everything ? state.highWatermark : Offset(wanted)
            guard offset >= 0, offset <= state.highWatermark else { return .failure(Refusal(.offsetOutOfRange, nil)) }
            guard offset > state.log.logStartOffset else { return .success(nil) }
            do throws(LogError) {
                return .success(try state.log.advanceLogStart(to: offset))
            } catch {
                problem = error
                return .failure(Refusal(.kafkaStorageError, error.description))
            }
        }
        if let change = try? outcome.get() {
            do throws(LogError) {
                try change.perform()
                try self.removeSegmentsBeforeLogStart()
            } catch {
                problem = error
            }
        }
        if let problem {
            self.resources.logger.error("\(self.name): records could not be deleted: \(problem)")
            throw Refusal(.kafkaStorageError, problem.description)
        }
        _ = try outcome.get()
        return self.offsets.start
    }

    private func removeSegmentsBeforeLogStart() throws(LogError) {
        let now = self.resources.clock.wallMilliseconds()
        var isDone = false
        while !isDone {
            let removal = try self.state.withLock { (state) throws(LogError) in
                // No retention: only what lies before the log start offset goes.
                try state.log.deleteExpired(now: now, retention: Retention(), upTo: state.highWatermark)
            }
            try removal.perform()
            isDone = removal.isEmpty
        }
    }

    /// Has the log obey other settings from now on.
    func configure(_ configuration: LogConfiguration) {
        self.state.withLock { $0.log.configuration = configuration }
    }
}
