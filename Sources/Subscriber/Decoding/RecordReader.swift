internal import KafkaProtocol
internal import MetricModel
internal import RecordBatch

/// Reads the samples of one record after another: chooses the format, and takes no sample whose time is no time.
///
/// Owned by whoever decodes: the `RecordDecoder` of a subscriber, the `LiveDecoder` of `weir live`.
struct RecordReader {
    /// Timestamps that are taken: from 1970 to the end of the year 9999, which SQLite's time functions can show.
    static let timestamps = Timestamp(milliseconds: 0)...Timestamp(milliseconds: 253_402_300_799_999)

    private var formats: RecordFormats
    private var reading: FormatReading

    /// - Parameter formats: of topics whose records do not name theirs.
    init(_ formats: [TopicFormat] = [], limits: TextFormat.Limits = TextFormat.Limits()) {
        self.formats = RecordFormats(formats)
        reading = FormatReading(limits: limits)
    }

    var limits: TextFormat.Limits { reading.limits }

    /// Values that are no numbers and were passed over, since it was made.
    var skippedValues: Int { reading.skippedValues }

    /// The format of a topic's records that do not name theirs.
    mutating func format(of topic: TopicName) -> FormatChoice { formats.format(of: topic) }

    /// Calls `sample` for each sample of a record, and `rejected` for each line or element that is none, in order.
    ///
    /// - Parameters:
    ///   - topicFormat: see ``format(of:)``.
    ///   - rejected: gets the number of the line or element, the reason, and the element's bytes where the number counts no
    ///     lines of the record.
    ///   - sample: says whether the sample's series can be read.
    /// - Throws: why nothing of the record can be read.
    @inline(__always)
    mutating func read(
        _ record: RecordView, as topicFormat: FormatChoice,
        rejected: (Int, String, UnsafeRawBufferPointer?) -> Void, sample: (TextFormat.ParsedLine) -> Bool
    ) throws(UnreadableRecord) {
        guard let value = record.value, !value.isEmpty else { throw .noValue }
        let choice: FormatChoice
        do {
            choice = try RecordFormats.format(of: record.headers) ?? topicFormat
        } catch {
            throw .format(error)
        }
        // A record without a time (-1) gets that of its arrival.
        reading.defaultTimestamp = record.timestamp >= 0 ? Timestamp(milliseconds: record.timestamp) : .now()
        reading.parameters = choice.parameters
        choice.format.read(value, &reading) { unreadable in
            rejected(unreadable.number, "\(unreadable.reason)", unreadable.text)
        } _: { line in
            let text = choice.format.numbersLines ? nil : line.series
            guard Self.timestamps.contains(line.timestamp) else {
                let reason = "timestamp \(line.timestamp.milliseconds) is no time between the years 1970 and 9999"
                return rejected(line.lineNumber, reason, text)
            }
            if !sample(line) { rejected(line.lineNumber, "the series cannot be read", text) }
        }
    }
}

/// Why nothing of a record can be read.
enum UnreadableRecord: Error {
    case noValue
    case format(FormatChoiceError)
}

extension UnreadableRecord: CustomStringConvertible {
    var description: String {
        switch self {
        case .noValue: "the record has no value"
        case .format(let error): "\(error)"
        }
    }
}
