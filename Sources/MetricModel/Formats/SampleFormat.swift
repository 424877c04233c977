/// A way of writing samples in a record. Each format is one file that makes one of these, and one line in `all`.
///
/// A value; shared by all threads.
public struct SampleFormat: Sendable {
    /// Reads one record's value: calls the first closure for every line or element that is no sample and the second
    /// for every sample, in order. It takes any bytes, and what it hands out lives until the closure returns.
    public typealias Read =
        @Sendable (
            _ text: UnsafeRawBufferPointer, _ reading: inout FormatReading,
            _ rejected: (UnreadableSample) -> Void, _ sample: (TextFormat.ParsedLine) -> Void
        ) -> Void

    /// Every format; the first is the one of records and topics that name none.
    public static let all: [SampleFormat] = [.prometheusText, .openMetrics, .influxLineProtocol, .collectdJSON]

    /// What people call it in settings.
    public let name: String
    /// The content types that choose it, in lower case.
    public let mediaTypes: [String]
    /// Parameters of a content type that change how it is read, with the values they may have. Others are ignored.
    let parameters: [String: [String]]
    /// Whether numbers count the record's lines, rather than elements of another kind.
    public let numbersLines: Bool
    public let read: Read

    init(
        name: String, mediaTypes: [String], parameters: [String: [String]] = [:], numbersLines: Bool = true,
        read: @escaping Read
    ) {
        self.name = name
        self.mediaTypes = mediaTypes
        self.parameters = parameters
        self.numbersLines = numbersLines
        self.read = read
    }
}

/// What a format needs to read a record, and storage it uses again for the next one. Owned by whoever reads.
public struct FormatReading: Sendable {
    /// Of samples that have no time of their own.
    public var defaultTimestamp = Timestamp(milliseconds: 0)
    /// Those of the content type or setting that chose the format.
    public var parameters: [String: String] = [:]
    public let limits: TextFormat.Limits
    /// Values that are no numbers and were passed over, such as the strings of a line protocol; since it was made.
    public internal(set) var skippedValues = 0
    /// Where formats that do not write series as Prometheus does put them together.
    var series: SeriesText

    public init(limits: TextFormat.Limits = TextFormat.Limits()) {
        self.limits = limits
        series = SeriesText(limits: limits)
    }
}

/// A line or an element of a record that is no sample.
public struct UnreadableSample {
    /// The line or element, counted from 1.
    public let number: Int
    /// The element's bytes; nil where `number` counts the record's lines.
    public let text: UnsafeRawBufferPointer?
    public let reason: TextFormatError.Reason

    init(number: Int, text: UnsafeRawBufferPointer? = nil, reason: TextFormatError.Reason) {
        self.number = number
        self.text = text
        self.reason = reason
    }
}

extension SampleFormat {
    /// Prometheus's text format, the default. See `TextFormat`.
    static let prometheusText = SampleFormat(name: "prometheus", mediaTypes: ["text/plain"]) {
        text, reading, rejected, sample in
        // The closure for samples goes on as it is: another one around it would be a call more per line.
        TextFormat.forEachLine(
            in: text, defaultTimestamp: reading.defaultTimestamp, limits: reading.limits,
            rejected: { rejected(UnreadableSample(number: $0.lineNumber, reason: $0.reason)) }, sample)
    }
}
