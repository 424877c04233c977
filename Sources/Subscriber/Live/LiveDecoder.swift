public import KafkaClient
internal import KafkaProtocol
public import MetricModel
public import PromQL
internal import RecordBatch
internal import SeriesStore

/// Picks the samples of selected series out of records, as they arrive: what `weir live` shows.
///
/// Each series is matched once, when it is first seen; from then on a sample costs one look-up by the bytes of its
/// series. Records that were sent twice give their samples twice: whoever looks on keeps no account. A value, owned by
/// one task.
public struct LiveDecoder: Sendable {
    /// Spellings of series that are remembered; then it begins to remember anew, so that memory stays bounded whatever
    /// is sent.
    static let maximumSeries = 1_000_000

    /// A sample that was selected.
    public struct Sample {
        /// What `describe` made of its series.
        public let series: [UInt8]
        public let timestamp: Timestamp
        public let value: Double
    }

    private let selectors: [VectorSelector]
    private let describe: @Sendable (Labels) -> String
    private let capacity: Int
    private var reader: RecordReader
    private var table = SeriesTable()
    /// By the reference that the table knows a series by: what it is called. The first is that of all that are not selected.
    private var descriptions: [[UInt8]] = [[]]
    private static let unselected = SeriesReference(rawValue: 0)

    /// - Parameters:
    ///   - selectors: a series is shown when it meets one of them; all are when there are none.
    ///   - formats: of topics whose records do not name theirs.
    ///   - describe: what to hand out for a series; called once for each.
    public init(
        selectors: [VectorSelector], formats: [TopicFormat] = [], describe: @escaping @Sendable (Labels) -> String
    ) {
        self.init(selectors: selectors, formats: formats, capacity: Self.maximumSeries, describe: describe)
    }

    init(
        selectors: [VectorSelector], formats: [TopicFormat], capacity: Int,
        describe: @escaping @Sendable (Labels) -> String
    ) {
        self.selectors = selectors
        self.describe = describe
        self.capacity = capacity
        reader = RecordReader(formats)
    }

    /// How many spellings of series are remembered.
    var seriesCount: Int { table.count }

    /// Calls `sample` for each selected sample, in order, and `rejected` with what is no sample and where it stands.
    public mutating func decode(_ batch: ConsumedBatch, rejected: (String) -> Void, _ sample: (Sample) -> Void) {
        let format = reader.format(of: batch.topicPartition.topic)
        // Taken out while it is used, because the closures below use the decoder.
        var reader = RecordReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        let limits = reader.limits
        do {
            try batch.forEachRecord { record in
                do throws(UnreadableRecord) {
                    try reader.read(record, as: format) { number, reason, _ in
                        rejected("\(batch.topicPartition) offset \(record.offset) line \(number): \(reason)")
                    } sample: { line in
                        guard let reference = table.find(line.series) ?? remember(line.series, limits) else {
                            return false
                        }
                        if reference != Self.unselected {
                            sample(
                                Sample(
                                    series: descriptions[Int(reference.rawValue)], timestamp: line.timestamp,
                                    value: line.value))
                        }
                        return true
                    }
                } catch {
                    rejected("\(batch.topicPartition) offset \(record.offset): \(error)")
                }
            }
        } catch {
            rejected(
                "\(batch.topicPartition) from offset \(batch.firstOffset) on: the record batch is damaged: \(error)")
        }
    }

    /// Matches a series that is spelled in a way not seen before; nil when it cannot be read.
    private mutating func remember(
        _ spelling: UnsafeRawBufferPointer, _ limits: TextFormat.Limits
    ) -> SeriesReference? {
        guard let labels = try? Labels(parsing: spelling, limits: limits) else { return nil }
        if table.count >= capacity {
            table = SeriesTable()
            descriptions = [[]]
        }
        var reference = Self.unselected
        if selectors.isEmpty || selectors.contains(where: { $0.matches(labels) }) {
            reference = SeriesReference(rawValue: UInt32(descriptions.count))
            descriptions.append(Array(describe(labels).utf8))
        }
        table.insert(spelling, reference)
        return reference
    }
}
