internal import KafkaProtocol
internal import MetricModel
internal import RecordBatch

/// Chooses the format of a record: that of its header `content-type`, else that of its topic, else the Prometheus
/// text format. Owned by the `RecordReader`.
struct RecordFormats {
    private static let header: StaticString = "content-type"

    private let settings: [TopicFormat]
    private var byTopic: [TopicName: FormatChoice] = [:]

    init(_ settings: [TopicFormat]) {
        self.settings = settings
    }

    /// The format of a topic's records that do not name theirs: the first setting that matches.
    mutating func format(of topic: TopicName) -> FormatChoice {
        if settings.isEmpty { return .standard }
        if let known = byTopic[topic] { return known }
        let choice = settings.first { $0.topics.matches(value: topic.rawValue) }?.format ?? .standard
        byTopic[topic] = choice
        return choice
    }

    /// The format that a record's header names; nil when it names none.
    static func format(of headers: RecordHeaderViews) throws(FormatChoiceError) -> FormatChoice? {
        guard headers.count > 0, let type = headers.first(where: { isContentType($0.key) })?.value else { return nil }
        // A content type of any length is some bytes of others; no known one comes near this.
        return try FormatChoice(parsing: String(decoding: type.prefix(512), as: UTF8.self))
    }

    /// Names of headers are compared as HTTP compares them, without case.
    private static func isContentType(_ key: UnsafeRawBufferPointer) -> Bool {
        guard key.count == header.utf8CodeUnitCount else { return false }
        for index in 0..<key.count where key[index] | 0x20 != header.utf8Start[index] | 0x20 { return false }
        return true
    }
}
