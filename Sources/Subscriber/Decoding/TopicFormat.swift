internal import MetricModel

/// The format of the topics whose names match a pattern, for records that have no content type:
///
///     metrics\.sensors\..*=influx;precision=s
///
/// A value.
public struct TopicFormat: Sendable {
    let topics: LabelMatcher
    let format: FormatChoice

    /// - Parameters:
    ///   - topics: a regular expression over the whole name; a plain topic name is one, too.
    ///   - format: a format's name or content type, with parameters behind semicolons.
    public init(topics: String, format: String) throws(TopicFormatError) {
        do {
            self.topics = try LabelMatcher("topic", .matches, topics)
        } catch {
            throw TopicFormatError(description: "the topic pattern \(error)")
        }
        do {
            self.format = try FormatChoice(parsing: format)
        } catch {
            throw TopicFormatError(description: "the format of topics '\(topics)': \(error)")
        }
    }

    /// Reads `TOPIC=FORMAT`, cut at the first equals sign.
    public init(parsing text: String) throws(TopicFormatError) {
        guard let equals = text.firstIndex(of: "=") else {
            throw TopicFormatError(description: "'\(text)' is not TOPIC=FORMAT")
        }
        try self.init(topics: String(text[..<equals]), format: String(text[text.index(after: equals)...]))
    }
}

/// A topic's format that cannot be used, and why.
public struct TopicFormatError: Error, CustomStringConvertible {
    public let description: String
}
