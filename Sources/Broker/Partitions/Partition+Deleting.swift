import CommitLog
import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// Losing records on purpose.
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
                // In this order, as writing the offset down may have to wait for the room that the segments give back;
                // whoever asked is told after both.
                _ = try self.expire(nil)
                try change.perform()
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
}
