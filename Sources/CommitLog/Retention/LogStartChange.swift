public import RecordBatch
internal import Synchronization

/// The log start offset on disk, shared by a log and the changes under way. Safe on any thread.
final class LogStartFile: Sendable {
    private let directory: Directory
    private let written: Mutex<Offset>

    init(_ directory: Directory, written: Offset) {
        self.directory = directory
        self.written = Mutex(written)
    }

    /// Writes one at a time, so that a change that comes late does not undo a later one.
    func advance(to offset: Offset) throws(LogError) {
        try written.withLock { (written) throws(LogError) in
            guard offset > written else { return }
            try OffsetFile.logStart.write(offset, in: directory)
            written = offset
        }
    }
}

/// A new log start offset, which holds already; `perform` makes it outlive a restart. Taken under the owner's lock,
/// performed outside it on a thread that may block.
public struct LogStartChange: Sendable {
    public let offset: Offset
    let file: LogStartFile

    /// Puts the offset on disk, if it or a later one is not there already. After a failure it may be performed again.
    public func perform() throws(LogError) {
        try file.advance(to: offset)
    }
}

extension Log {
    /// Gives up the records before `offset`, as Kafka's DeleteRecords does: at once they are out of range. The segments
    /// that hold nothing else go with the next `deleteExpired`.
    ///
    /// - Parameter offset: at most the log end offset; one before the log start offset changes nothing.
    /// - Returns: the log start offset, to be put on disk outside the lock before anybody is told.
    public mutating func advanceLogStart(to offset: Offset) throws(LogError) -> LogStartChange {
        try progress.check()
        guard offset <= logEndOffset else {
            throw .offsetOutOfRange(offset, logStart: logStartOffset, logEnd: logEndOffset, directory: path)
        }
        readableFrom = max(readableFrom, offset)
        return LogStartChange(offset: logStartOffset, file: logStartFile)
    }
}
