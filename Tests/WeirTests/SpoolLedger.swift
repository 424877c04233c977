import CommitLog
import FoundationEssentials
import MetricModel
import NIOCore
import RecordBatch

/// Every sample that an agent's spool accepted, read from its files: what has to be in the database, once.
struct SpoolLedger {
    /// The samples' values by series and time.
    private(set) var samples: [String: [Int64: Double]] = [:]
    private(set) var recordCount = 0

    var sampleCount: Int { samples.values.reduce(0) { $0 + $1.count } }

    /// Adds what a spool directory holds. Its agent must not be running, and nothing may have been deleted from it.
    mutating func add(spool directory: String) throws {
        let topics = "\(directory)/topics"
        for name in try FileManager.default.contentsOfDirectory(atPath: topics).sorted() {
            try add(log: "\(topics)/\(name)")
        }
    }

    private mutating func add(log directory: String) throws {
        var log = try Log(directory: directory, configuration: LogConfiguration())
        precondition(log.logStartOffset == 0, "the spool has deleted records, so it is no ledger any more")
        var next = log.logStartOffset
        while next < log.logEndOffset {
            let bytes = try log.locate(from: next, maximumBytes: 1 << 20).read()
            for batch in try EncodedBatch.split(bytes).whole {
                for record in try batch.records() {
                    recordCount += 1
                    try add(text: record.value ?? ByteBuffer(), at: record.timestamp)
                }
                next = batch.header.lastOffset.advanced(by: 1)
            }
        }
        try log.close()
    }

    private mutating func add(text: ByteBuffer, at timestamp: Int64) throws {
        try text.withUnsafeReadableBytes { bytes in
            try TextFormat.forEachLine(in: bytes, defaultTimestamp: Timestamp(milliseconds: timestamp)) { error in
                throw error
            } _: { line in
                let series = try Labels(parsing: line.series).description
                samples[series, default: [:]][line.timestamp.milliseconds] = line.value
            }
        }
    }
}
