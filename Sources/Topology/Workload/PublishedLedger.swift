internal import FoundationEssentials
internal import MetricModel

/// What one publisher wrote down before it published it (``WorkloadLedger``), read back: which records there were, and each
/// of their samples again.
public struct PublishedLedger: Sendable {
    public struct Record: Hashable, Sendable {
        /// When it was to be collected, in milliseconds since 1970: the time of all its samples.
        public var time: Int64
        /// Index into ``topics``.
        public var topic: Int
        /// Index into ``instances``.
        public var instance: Int
        public var samples: Int
        public var sequence: Int
    }

    public private(set) var records: [Record] = []
    public private(set) var topics: [String] = []
    public private(set) var instances: [String] = []
    /// The workload by the number of the first record it wrote; a file that was gone on with has several.
    private var workloads: [(first: Int, text: WorkloadText, prefix: String)] = []

    public var sampleCount: Int { records.reduce(0) { $0 + $1.samples } }

    /// Blocks on the disk.
    ///
    /// - Throws: ``LedgerError`` naming the line that is none. A last line that was torn by a kill counts as not written.
    public init(path: String) throws(LedgerError) {
        guard let data = FileManager.default.contents(atPath: path) else { throw .unreadable(path: path) }
        try self.init(parsing: data, path: path)
    }

    init(parsing data: Data, path: String) throws(LedgerError) {
        var names = Names()
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // What stands behind the last line feed is nothing, or torn.
        for (number, bytes) in lines.dropLast().enumerated() {
            let line = String(decoding: bytes, as: UTF8.self)
            guard line.hasPrefix("#") ? begin(line) : append(line, &names) else {
                throw .line(path: path, number: number + 1, text: line)
            }
        }
    }

    /// The samples of the record with this index: series as a database has them, and values.
    public func samples(of index: Int) -> [(series: String, value: Double)] {
        let record = records[index]
        let instance = instances[record.instance]
        guard let workload = workloads.last(where: { $0.first <= index }),
            let host = Int(instance.dropFirst(workload.prefix.count + 1))
        else { return [] }
        return workload.text.samples(
            instance: instance, host: host, time: Timestamp(milliseconds: record.time))
    }

    /// The indices of names that there have been.
    private struct Names {
        var topics: [Substring: Int] = [:]
        var instances: [Substring: Int] = [:]
    }

    /// False if the line does not say what workload follows.
    private mutating func begin(_ line: String) -> Bool {
        let fields = line.split(separator: " ").reduce(into: [Substring: Substring]()) { fields, field in
            let parts = field.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        guard line.hasPrefix("# weir-ledger "),
            let kind = fields["kind"].flatMap({ WorkloadKind(rawValue: String($0)) }),
            let series = fields["series"].flatMap({ Int($0) }), let seed = fields["seed"].flatMap({ UInt64($0) }),
            let prefix = fields["prefix"]
        else { return false }
        workloads.append((records.count, WorkloadText(kind: kind, seriesCount: series, seed: seed), String(prefix)))
        return true
    }

    /// False if the line is no record: time, topic, instance, samples and sequence, with tabs between them.
    private mutating func append(_ line: String, _ names: inout Names) -> Bool {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count == 5, let time = Int64(fields[0]), let samples = Int(fields[3]),
            let sequence = Int(fields[4])
        else { return false }
        records.append(
            Record(
                time: time, topic: Self.number(of: fields[1], &names.topics, &topics),
                instance: Self.number(of: fields[2], &names.instances, &instances), samples: samples,
                sequence: sequence))
        return true
    }

    private static func number(
        of name: Substring, _ numbers: inout [Substring: Int], _ names: inout [String]
    ) -> Int {
        if let number = numbers[name] { return number }
        numbers[name] = names.count
        names.append(String(name))
        return names.count - 1
    }
}

/// A ledger that cannot be counted.
public enum LedgerError: Error, Sendable, CustomStringConvertible {
    case unreadable(path: String)
    case line(path: String, number: Int, text: String)

    public var description: String {
        switch self {
        case .unreadable(let path): "the ledger \(path) cannot be read"
        case .line(let path, let number, let text): "\(path):\(number): this is no line of a ledger: \(text)"
        }
    }
}
