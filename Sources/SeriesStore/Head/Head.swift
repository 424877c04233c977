public import MetricModel

/// What has been read from the topics and is not in the database yet: samples, and how far reading has come.
/// One transaction stores a head as a whole or not at all.
///
/// A plain value: whoever decodes fills it, and hands it to `SeriesWriter.commit`.
public struct Head: Sendable {
    /// A sample of a series that this process knows by number. 24 bytes: a head may hold hundreds of thousands.
    struct Entry {
        var series: SeriesReference
        /// The order of arrival: of two samples with one timestamp the first stays.
        var arrival: UInt32
        var timestamp: Timestamp
        var value: Double
    }

    /// What a head does for one partition: it goes on from what is stored (nil: nothing) to what will be.
    struct Advance {
        let from: SourcePosition?
        var to: SourcePosition
    }

    private(set) var entries: ContiguousArray<Entry> = []
    /// The series that were defined, in the order in which they were.
    public private(set) var newSeries: [(reference: SeriesReference, labels: Labels)] = []
    /// References that stand for nothing any more, before `newSeries` may give them to other series.
    private(set) var forgottenSeries: [SeriesReference] = []
    private(set) var advances: [SourcePartition: Advance] = [:]
    private(set) var sequences: [AgentStream: SequenceSet] = [:]
    /// Where conditions stand with this head's samples; nil for series that are not watched any more.
    public private(set) var alerts: [AlertKey: StoredAlert?] = [:]

    public init() {}

    /// Whether a commit would change nothing.
    public var isEmpty: Bool {
        entries.isEmpty && newSeries.isEmpty && forgottenSeries.isEmpty && advances.isEmpty
            && sequences.isEmpty && alerts.isEmpty
    }

    public var sampleCount: Int { entries.count }

    /// Calls `body` with the samples from an index on, in the order in which they came.
    public func forEachSample(from index: Int, _ body: (SeriesReference, Sample) -> Void) {
        for entry in entries[index...] { body(entry.series, Sample(timestamp: entry.timestamp, value: entry.value)) }
    }

    /// Says which series a reference stands for. Once per reference, in this head or an earlier one that was
    /// committed, before the reference's first sample.
    public mutating func define(_ reference: SeriesReference, labels: Labels) {
        newSeries.append((reference, labels))
    }

    public mutating func append(_ series: SeriesReference, timestamp: Timestamp, value: Double) {
        entries.append(
            Entry(
                series: series, arrival: UInt32(truncatingIfNeeded: entries.count), timestamp: timestamp, value: value))
    }

    /// Says that references are used no more. Before anything else is said of them in this head.
    public mutating func forget(_ references: some Sequence<SeriesReference>) {
        forgottenSeries.append(contentsOf: references)
    }

    /// Defines what another head defines, which was not stored and will not be.
    public mutating func define(asIn other: Head) {
        forgottenSeries.append(contentsOf: other.forgottenSeries)
        newSeries.append(contentsOf: other.newSeries)
    }

    /// Everything of a partition that is behind `from` and before `to` is in this head. A commit fails with
    /// `StoreError.superseded` unless the database has the partition stored up to `from`.
    ///
    /// - Parameter from: what is stored, or will be by the head before this one; nil when that is nothing. Of several
    ///   calls for one partition the first counts.
    public mutating func advance(_ source: SourcePartition, from: SourcePosition?, to: SourcePosition) {
        advances[source, default: Advance(from: from, to: to)].to = to
    }

    /// A record of an agent's stream is counted in this head. A commit fails with `StoreError.superseded` when it is in
    /// the database already.
    public mutating func count(_ sequence: Int64, of stream: AgentStream) {
        sequences[stream, default: SequenceSet()].insert(sequence)
    }

    /// Where a condition stands for a series with this head's samples.
    public mutating func setAlert(_ alert: StoredAlert) {
        alerts[alert.key] = .some(alert)
    }

    /// A condition does not watch a series any more.
    public mutating func forgetAlert(_ key: AlertKey) {
        alerts[key] = .some(nil)
    }

    /// How far each partition will be stored.
    public var nextPositions: [SourcePartition: SourcePosition] { advances.mapValues(\.to) }
}
