import CommitLog
import FoundationEssentials
import MetricModel
import RecordBatch

/// Writes what a log dump finds, as it finds it: lines for people, or a JSON object a line.
struct LogDumpPrinter {
    private let format: DumpFormat
    private var path = ""
    private var batchCount = 0
    private var recordCount = 0
    private(set) var damageCount = 0
    private let encoder: JSONEncoder

    init(format: DumpFormat) {
        self.format = format
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    mutating func print(_ item: LogDump.Item) {
        count(item)
        switch format {
        case .text: Swift.print(item.line)
        case .json:
            if let line = try? encoder.encode(LogDumpRow(item, path: path)) {
                Swift.print(String(decoding: line, as: UTF8.self))
            }
        }
    }

    private mutating func count(_ item: LogDump.Item) {
        switch item {
        case .file(let file): path = file.path
        case .batch(let batch):
            batchCount += 1
            recordCount += Int(batch.header.recordCount)
        case .indexEntry(let entry): damageCount += entry.fault == nil ? 0 : 1
        case .damage: damageCount += 1
        case .record, .text: break
        }
    }

    /// The last line, which sums up.
    func finish() {
        guard format == .text else { return }
        let damage =
            damageCount == 0 ? "no damage" : "\(damageCount) \(damageCount == 1 ? "place is" : "places are") damaged"
        let batches = "\(batchCount) batch\(batchCount == 1 ? "" : "es")"
        let records = "\(recordCount) record\(recordCount == 1 ? "" : "s")"
        Swift.print("\(batches), \(records), \(damage)")
    }
}

extension LogDump.Item {
    /// One line for a person.
    fileprivate var line: String {
        switch self {
        case .file(let file): "\(file.path): \(file.byteCount) bytes"
        case .batch(let batch): "  position \(batch.position): \(batch.header.words)"
        case .record(let record):
            "    offset \(record.offset)  \(Timestamp(milliseconds: record.timestamp))"
                + "  key \(PrintableBytes(record.key))  value \(PrintableBytes(record.value))"
                + (record.headers.isEmpty
                    ? ""
                    : "  headers "
                        + record.headers.map { "\($0.key)=\(PrintableBytes($0.value))" }.joined(separator: " "))
        case .indexEntry(let entry):
            "  \(entry.words)" + (entry.fault.map { "  WRONG: \($0)" } ?? "")
        case .text(let text): "  \(text)"
        case .damage(let damage):
            "  position \(damage.position): DAMAGED, \(damage.byteCount) bytes: \(damage.reason)"
        }
    }
}

extension LogDump.IndexEntry {
    fileprivate var words: String {
        switch target {
        case .position(let position): "offset \(offset) at position \(position)"
        case .timestamp(let timestamp): "\(Timestamp(milliseconds: timestamp)) up to offset \(offset)"
        }
    }
}

extension RecordBatchHeader {
    fileprivate var words: String {
        var parts = [
            isControl ? "transaction marker" : recordCount == 1 ? "1 record" : "\(recordCount) records",
            baseOffset == lastOffset ? "offset \(baseOffset)" : "offsets \(baseOffset) to \(lastOffset)",
            "\(totalByteCount) bytes", compression.map { "\($0)" } ?? "unknown codec",
            "newest \(Timestamp(milliseconds: maxTimestamp))" + (isLogAppendTime ? " (log append time)" : ""),
            "leader epoch \(partitionLeaderEpoch)",
        ]
        if hasProducerID {
            parts.append("producer \(producerID) epoch \(producerEpoch)")
            if baseSequence >= 0 { parts.append("sequence \(baseSequence) to \(lastSequence)") }
        }
        if isTransactional { parts.append("transactional") }
        if hasDeleteHorizon { parts.append("tombstones go from \(Timestamp(milliseconds: baseTimestamp))") }
        return parts.joined(separator: ", ")
    }
}

/// One line of JSON; `kind` says which of the other fields there are.
private struct LogDumpRow: Encodable {
    let kind: String
    let path: String
    var byteCount: Int?
    var position: Int?
    var baseOffset: Int64?
    var lastOffset: Int64?
    var recordCount: Int32?
    var compression: String?
    var maxTimestamp: Int64?
    var leaderEpoch: Int32?
    var producerID: Int64?
    var producerEpoch: Int16?
    var baseSequence: Int32?
    var lastSequence: Int32?
    var isTransactional: Bool?
    var isControl: Bool?
    var deleteHorizon: Int64?
    var offset: Int64?
    var timestamp: Int64?
    var key: String?
    var value: String?
    var headers: [[String]]?
    var text: String?
    var fault: String?

    init(_ item: LogDump.Item, path: String) {
        self.path = path
        switch item {
        case .file(let file):
            kind = "file"
            byteCount = file.byteCount
        case .batch(let batch):
            kind = "batch"
            position = batch.position
            set(batch.header)
        case .record(let record):
            kind = "record"
            offset = record.offset.rawValue
            timestamp = record.timestamp
            key = record.key.map { PrintableBytes($0, maximumBytes: .max).unquoted }
            value = record.value.map { PrintableBytes($0, maximumBytes: .max).unquoted }
            headers = record.headers.map { [$0.key, PrintableBytes($0.value, maximumBytes: .max).unquoted] }
        case .indexEntry(let entry):
            kind = "indexEntry"
            offset = entry.offset.rawValue
            switch entry.target {
            case .position(let position): self.position = position
            case .timestamp(let timestamp): self.timestamp = timestamp
            }
            fault = entry.fault
        case .text(let text):
            kind = "text"
            self.text = text
        case .damage(let damage):
            kind = "damage"
            position = damage.position
            byteCount = damage.byteCount
            fault = damage.reason
        }
    }

    private mutating func set(_ header: RecordBatchHeader) {
        byteCount = header.totalByteCount
        baseOffset = header.baseOffset.rawValue
        lastOffset = header.lastOffset.rawValue
        recordCount = header.recordCount
        compression = header.compression.map { "\($0)" }
        maxTimestamp = header.maxTimestamp
        leaderEpoch = header.partitionLeaderEpoch
        isTransactional = header.isTransactional
        isControl = header.isControl
        if header.hasDeleteHorizon { deleteHorizon = header.baseTimestamp }
        guard header.hasProducerID else { return }
        producerID = header.producerID
        producerEpoch = header.producerEpoch
        baseSequence = header.baseSequence
        lastSequence = header.lastSequence
    }
}
