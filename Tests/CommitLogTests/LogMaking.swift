import CommitLog
import FoundationEssentials
import NIOCore
import RecordBatch
import TestKit
import Testing

/// Batches for logs, and what a log holds as plain values.
enum LogMaking {
    static let start: Int64 = 1_700_000_000_000

    /// Segments of a few batches, with an index entry for nearly every batch.
    static let small = LogConfiguration(segmentBytes: 1000, segmentAge: nil, indexIntervalBytes: 100)

    static func batch(
        _ values: [String], timestamp: Int64 = start, codec: CompressionCodec = .none
    ) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(compression: codec)
        for (index, value) in values.enumerated() {
            builder.append(timestamp: timestamp + Int64(index), key: nil, value: ByteBuffer(string: value))
        }
        return try builder.finish()
    }

    /// Bytes of a numbered batch.
    static let batchBytes = 170

    /// A batch of one record of 100 bytes.
    static func batch(number: Int, timestamp: Int64? = nil) throws -> EncodedBatch {
        let text = "record \(number) "
        let value = text + String(repeating: ".", count: 100 - text.utf8.count)
        return try batch([value], timestamp: timestamp ?? start + Int64(number) * 1000)
    }

    static func records(in bytes: ByteBuffer) throws -> [Record] {
        let (whole, trailing) = try EncodedBatch.split(bytes)
        #expect(trailing == 0)
        return try whole.flatMap { try $0.records() }
    }

    static func fileBytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path)))
    }

    static func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
        try Data(bytes).write(to: URL(filePath: path))
    }

    static func names(in directory: String, suffix: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(suffix) }.sorted()
    }

    static func copy(_ directory: String, to target: String) throws {
        removeTree(target)
        try FileManager.default.copyItem(atPath: directory, toPath: target)
    }
}

extension Log {
    mutating func append(number: Int) throws -> Offset {
        try append(try LogMaking.batch(number: number), leaderEpoch: 0)
    }

    /// Everything from `offset` (or the start) on, read a piece at a time.
    func records(from offset: Offset? = nil, maximumBytes: Int = 700) throws -> [Record] {
        var records: [Record] = []
        var next = offset ?? logStartOffset
        while next < logEndOffset {
            let bytes = try locate(from: next, maximumBytes: maximumBytes).read()
            records += try LogMaking.records(in: bytes).filter { $0.offset >= next }
            let before = next
            // By batches, since compaction leaves some without records.
            try RecordBatchHeader.walk(bytes) { header, _ in
                next = header.nextOffset
                return true
            }
            guard next > before else {
                Issue.record("nothing at offset \(next) of a log that ends at \(logEndOffset)")
                break
            }
        }
        return records
    }

    /// The values of all records, up to their first full stop.
    func values() throws -> [String] {
        try records().map { record in
            String(String(buffer: record.value ?? ByteBuffer()).prefix { $0 != "." }).trimmingSuffix()
        }
    }
}

extension String {
    fileprivate func trimmingSuffix() -> String {
        hasSuffix(" ") ? String(dropLast()) : self
    }
}

/// What `values` gives for the batches with these numbers.
func numbered(_ numbers: some Sequence<Int>) -> [String] {
    numbers.map { "record \($0)" }
}
