internal import FoundationEssentials
internal import MetricModel

/// A ledger that a generator has written, read back: which records there were, and each of their samples again.
public struct PublishedWorkload: Sendable {
    public struct Record: Sendable, Equatable {
        /// The time of all its samples, in milliseconds since 1970.
        public var milliseconds: Int64
        public var topic: String
        public var instance: String
        public var samples: Int
        public var sequence: Int
    }

    public private(set) var records: [Record] = []
    /// The workload by the number of the first record it wrote; a file that was gone on with has several.
    private var workloads: [(first: Int, text: WorkloadText, prefix: String)] = []

    public var sampleCount: Int { records.reduce(0) { $0 + $1.samples } }

    /// Blocks on the disk. A last line that a kill has torn counts as not written.
    public init(ledger path: String) throws(WorkloadError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .ledgerLine(path: path, line: 0, reason: "the file cannot be read")
        }
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        for (number, line) in lines.enumerated() {
            let text = String(decoding: line, as: UTF8.self)
            do throws(Unreadable) {
                if text.hasPrefix("#") { try begin(text) } else { try append(text) }
            } catch {
                throw .ledgerLine(path: path, line: number + 1, reason: error.reason)
            }
        }
    }

    /// The samples of the record with this index: series as a database has them, and values.
    public func samples(of index: Int) -> [(series: String, value: Double)] {
        let record = records[index]
        guard let workload = workloads.last(where: { $0.first <= index }),
            let host = Int(record.instance.dropFirst(workload.prefix.count + 1))
        else { return [] }
        return workload.text.samples(
            instance: record.instance, host: host, time: Timestamp(milliseconds: record.milliseconds))
    }

    private struct Unreadable: Error {
        let reason: String
    }

    private mutating func begin(_ line: String) throws(Unreadable) {
        let fields = line.split(separator: " ").reduce(into: [Substring: Substring]()) { fields, field in
            let parts = field.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        guard line.hasPrefix("# weir-ledger "),
            let kind = fields["kind"].flatMap({ WorkloadKind(rawValue: String($0)) }),
            let series = fields["series"].flatMap({ Int($0) }), let seed = fields["seed"].flatMap({ UInt64($0) }),
            let prefix = fields["prefix"]
        else { throw Unreadable(reason: "'\(line)' does not say what workload this is") }
        workloads.append((records.count, WorkloadText(kind: kind, seriesCount: series, seed: seed), String(prefix)))
    }

    private mutating func append(_ line: String) throws(Unreadable) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count == 5, let milliseconds = Int64(fields[0]), let samples = Int(fields[3]),
            let sequence = Int(fields[4]), !workloads.isEmpty
        else {
            throw Unreadable(reason: "'\(line)' is no record: time, topic, instance, samples and sequence, with tabs")
        }
        records.append(
            Record(
                milliseconds: milliseconds, topic: String(fields[1]), instance: String(fields[2]), samples: samples,
                sequence: sequence))
    }
}
