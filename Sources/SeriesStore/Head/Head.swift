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

    private(set) var entries: ContiguousArray<Entry> = []
    /// The series that were defined, in the order in which they were.
    public private(set) var newSeries: [(reference: SeriesReference, labels: Labels)] = []
    private(set) var offsets: [SourcePartition: Int64] = [:]
    private(set) var sequences: [AgentStream: SequenceSet] = [:]

    public init() {}

    /// Whether a commit would change nothing.
    public var isEmpty: Bool { entries.isEmpty && newSeries.isEmpty && offsets.isEmpty && sequences.isEmpty }

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

    /// Everything before `nextOffset` of a partition is in this head or stored.
    public mutating func advance(_ source: SourcePartition, to nextOffset: Int64) {
        offsets[source] = nextOffset
    }

    /// The records of an agent's stream that have been counted, those stored earlier included.
    public mutating func setSequences(_ sequences: SequenceSet, of stream: AgentStream) {
        self.sequences[stream] = sequences
    }

    /// How far each partition will be stored.
    public var nextOffsets: [SourcePartition: Int64] { offsets }
}
