import CommitLog
import RecordBatch

/// Rebuilds what a partition knows of its idempotent producers from the batches in its log.
enum ProducerHistory {
    /// About how many bytes at the end of a log are read. What a producer may send again was in flight when the broker
    /// stopped, so it is near the end; a producer that has not been heard of since may begin anywhere.
    private static let windowBytes = 64 << 20
    private static let stepBytes = 1 << 20

    /// Reads the disk.
    static func read(_ log: borrowing Log, into table: inout ProducerTable) throws(LogError) {
        var next = self.begin(log)
        while next < log.logEndOffset {
            let bytes = try log.locate(from: next, maximumBytes: self.stepBytes).read()
            let before = next
            _ = try? RecordBatchHeader.walk(bytes) { header, _ in
                table.record(header, at: header.baseOffset, now: header.maxTimestamp)
                next = header.nextOffset
                return true
            }
            if next <= before { return }
        }
    }

    /// Where the window begins, as if all records were of the same size.
    private static func begin(_ log: borrowing Log) -> Offset {
        guard log.byteCount > self.windowBytes else { return log.logStartOffset }
        let records = Double(log.logEndOffset - log.logStartOffset)
        let share = Double(self.windowBytes) / Double(log.byteCount)
        return max(log.logStartOffset, log.logEndOffset.advanced(by: -Int64(records * share)))
    }
}
