import CommitLog
import RecordBatch

/// Rebuilds what a partition knows of its idempotent producers from the batches in its log.
enum ProducerHistory {
    /// Kafka's `producer.id.expiration.ms`: a producer that has been silent for longer is forgotten.
    private static let horizonMilliseconds: Int64 = 24 * 60 * 60 * 1_000
    private static let stepBytes = 1 << 20

    /// Reads all batch headers from the first batch that is younger than a day. Reads the disk.
    static func read(_ log: borrowing Log, into table: inout ProducerTable, now: Int64) throws(LogError) {
        var next = log.logStartOffset
        if let recent = try log.offset(forTimestamp: now - self.horizonMilliseconds) {
            next = recent.offset
        } else {
            return
        }
        while next < log.logEndOffset {
            let bytes = try log.locate(from: next, maximumBytes: self.stepBytes, upTo: nil).read()
            let before = next
            _ = try? RecordBatchHeader.walk(bytes) { header, _ in
                table.record(header, now: header.maxTimestamp)
                next = header.nextOffset
                return true
            }
            if next <= before { return }
        }
    }
}
