/// Prometheus's text exposition format 0.0.4, one sample a line, and the quoted names of its later version:
///
///     # HELP node_load1 1m load average.            ← comments are skipped
///     node_network_up{device="eth0"} 1 1767225600000
///     └───────────────┬────────────┘ ┬ └─────┬─────┘
///              series bytes        value  timestamp, milliseconds (optional)
///
///     {"my.metric","my.label"="a \"b\" \\ c\n"} NaN
///
/// Blanks and tabs may stand between tokens. Label values escape `\`, `"` and line feeds. Numbers are decimal,
/// `NaN`, `+Inf` or `-Inf`. Source: https://prometheus.io/docs/instrumenting/exposition_formats/
public enum TextFormat {
    /// What one line may hold at most. A line beyond a limit is an error that names it.
    public struct Limits: Hashable, Sendable {
        public var maximumLineBytes: Int
        public var maximumLabels: Int
        /// Of metric and label names.
        public var maximumNameBytes: Int
        public var maximumLabelValueBytes: Int

        public init(
            maximumLineBytes: Int = 64 << 10, maximumLabels: Int = 64, maximumNameBytes: Int = 256,
            maximumLabelValueBytes: Int = 4096
        ) {
            self.maximumLineBytes = maximumLineBytes
            self.maximumLabels = maximumLabels
            self.maximumNameBytes = maximumNameBytes
            self.maximumLabelValueBytes = maximumLabelValueBytes
        }
    }

    /// One sample as it stands in the text. It points into the caller's bytes and lives as long as they do.
    public struct ParsedLine {
        /// The name and labels as written. Equal bytes mean an equal series, so they serve as a key of a cache;
        /// `Labels(parsing:)` turns them into labels. (Other bytes may mean the same series: order and blanks are
        /// the writer's.)
        public let series: UnsafeRawBufferPointer
        public let value: Double
        /// The line's own timestamp, or the default one.
        public let timestamp: Timestamp
        /// Counted from 1.
        public let lineNumber: Int
    }
}

/// A line that is no sample, and why.
public struct TextFormatError: Error, Hashable {
    /// What is wrong with the line.
    public enum Reason: Error, Hashable {
        case lineTooLong(bytes: Int, maximumLineBytes: Int)
        case missingName
        case invalidName(String)
        case nameTooLong(String, maximumNameBytes: Int)
        case nameGivenTwice
        case tooManyLabels(maximumLabels: Int)
        case duplicateLabel(String)
        case missingEquals(label: String)
        case valueNotQuoted(label: String)
        case labelValueTooLong(label: String, maximumLabelValueBytes: Int)
        case notUTF8
        case unterminatedQuote
        case unterminatedLabels
        case missingComma
        case missingValue
        case invalidNumber(String)
        case invalidTimestamp(String)
        case textAfterSample(String)
        case invalidSeconds(String)
        /// What only one format knows, in its words.
        case malformed(String)
    }

    /// Counted from 1.
    public let lineNumber: Int
    /// The line, cut to 120 bytes.
    public let text: String
    public let reason: Reason

    init(lineNumber: Int, line: UnsafeRawBufferPointer, reason: Reason) {
        self.lineNumber = lineNumber
        text = TextFormat.excerpt(line, maximumBytes: 120)
        self.reason = reason
    }
}

extension TextFormatError: CustomStringConvertible {
    public var description: String { "line \(lineNumber): \(reason): \(text)" }
}

extension TextFormatError.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .lineTooLong(let bytes, let limit): "\(bytes) bytes, more than maximumLineBytes (\(limit))"
        case .missingName: "no metric name"
        case .invalidName(let name):
            "'\(name)' is no name; names are letters, digits and _, the first no digit, or quoted within the braces"
        case .nameTooLong(let name, let limit): "name '\(name)' is longer than maximumNameBytes (\(limit))"
        case .nameGivenTwice: "the metric name is given twice"
        case .tooManyLabels(let limit): "more labels than maximumLabels (\(limit))"
        case .duplicateLabel(let name): "label '\(name)' is given twice"
        case .missingEquals(let label): "no '=' after label '\(label)'"
        case .valueNotQuoted(let label): "the value of label '\(label)' is not in double quotes"
        case .labelValueTooLong(let label, let limit):
            "the value of label '\(label)' is longer than maximumLabelValueBytes (\(limit))"
        case .notUTF8: "the name or a label is not UTF-8"
        case .unterminatedQuote: "a quote is not closed"
        case .unterminatedLabels: "the labels end without '}'"
        case .missingComma: "no ',' or '}' after a label"
        case .missingValue: "no value after the series"
        case .invalidNumber(let text): "'\(text)' is no number"
        case .invalidTimestamp(let text): "'\(text)' is no timestamp in milliseconds"
        case .textAfterSample(let text): "'\(text)' stands after the sample"
        case .invalidSeconds(let text): "'\(text)' is no timestamp in seconds"
        case .malformed(let text): text
        }
    }
}

extension TextFormat {
    /// The beginning of bytes as text for a person: at most `maximumBytes`, cut between characters, repaired where
    /// it is not UTF-8.
    static func excerpt(_ bytes: UnsafeRawBufferPointer, maximumBytes: Int = 64) -> String {
        guard bytes.count > maximumBytes else { return String(decoding: bytes, as: UTF8.self) }
        var end = maximumBytes
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[..<end]), as: UTF8.self) + "…"
    }
}
