public import Aggregation
internal import FoundationEssentials
internal import MetricModel
internal import SeriesStore

/// What a record of the topic `alerts` says: the words are those of Prometheus's API and of Alertmanager's webhook.
///
/// docs/rules.md has the fields. A record without a value says that the alert of its key is neither pending nor was firing.
public struct AlertRecord: Codable, Hashable, Sendable {
    /// Pending, firing or resolved.
    public let status: AlertState
    /// The same for records that say the same thing, as a repetition after a crash does.
    public let id: String
    /// Those of the series but for its metric's name, those of the condition, and `alertname`.
    public let labels: [String: String]
    public let annotations: [String: String]
    /// As the text format writes numbers.
    public let value: String
    /// The condition as text.
    public let expr: String
    /// The series' canonical text.
    public let series: String
    /// Since when the condition holds. These are RFC 3339, event time.
    public let activeAt: String
    /// When it fired.
    public let startsAt: String?
    /// When it was over.
    public let endsAt: String?
    /// Why it was over.
    public let ending: AlertEvent.Ending?
    /// The subscriber's group.
    public let generator: String

    init(_ notice: AlertNotice, generator: String) {
        let event = notice.event
        var labels: [String: String] = [:]
        for label in (try? Labels(parsing: notice.key.series)) ?? Labels() { labels[label.name] = label.value }
        labels[Label.metricName] = nil
        for label in notice.condition?.labels ?? Labels() { labels[label.name] = label.value }
        labels["alertname"] = notice.key.alert
        status = event.state
        id = notice.id
        self.labels = labels
        annotations = Dictionary((notice.condition?.annotations ?? []).map { ($0.name, $0.value) }) { _, last in last }
        value = TextFormat.text(event.value)
        expr = notice.conditionText
        series = notice.key.series
        activeAt = "\(event.activeSince)"
        startsAt = event.firedAt.map { "\($0)" }
        endsAt = event.ending == nil ? nil : "\(event.time)"
        ending = event.ending
        self.generator = generator
    }

    /// Reads a record's value.
    ///
    /// - Throws: `DecodingError`.
    public init(json: some Sequence<UInt8>) throws {
        self = try JSONDecoder().decode(AlertRecord.self, from: Data(json))
    }

    /// The record's value.
    var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try encoder.encode(self)
        }
    }
}

extension AlertNotice {
    /// The record's key: compaction keeps what was said last of each alert.
    var recordKey: String { "\(key.alert) \(key.series)" }

    /// The condition, the series, since when it holds, and what became of it: enough to tell a repetition.
    var id: String { "\(recordKey) \(event.activeSince.milliseconds) \(event.state.rawValue)" }
}
