import Aggregation
import KafkaClient
import MetricModel
import NIOCore
import PromQL
import RecordBatch
import Subscriber

/// What becomes of alerts, a line each: in words, or as it stands in the topic.
///
///     2026-02-28T23:59:59.250Z firing HighLoad node_load1{instance="a"} = 9 (node_load1 > 8 for 2m), since …: summary=…
struct LiveAlerts: LiveContent {
    private let selectors: [VectorSelector]
    private let format: LiveFormat

    /// - Parameter selectors: an alert is shown when its labels meet one of them; all are when there are none.
    init(_ selectors: [VectorSelector], _ format: LiveFormat) {
        self.selectors = selectors
        self.format = format
    }

    mutating func append(
        _ batch: ConsumedBatch, limit: inout Int, to output: inout ByteBuffer, rejected: (String) -> Void
    ) {
        do {
            try batch.forEachRecord { record in
                guard limit > 0 else { return }
                guard let value = record.value else {
                    // Of an alert that went away, nothing but its name is left.
                    if selectors.isEmpty, append(gone: record, to: &output) { limit -= 1 }
                    return
                }
                do {
                    let alert = try AlertRecord(json: value)
                    guard isSelected(alert) else { return }
                    if format == .json {
                        output.writeBytes(value)
                    } else {
                        output.writeString(Self.text(of: alert))
                    }
                    output.writeString("\n")
                    limit -= 1
                } catch {
                    rejected("\(batch.topicPartition) offset \(record.offset): this is no alert: \(error)")
                }
            }
        } catch {
            rejected(
                "\(batch.topicPartition) from offset \(batch.firstOffset) on: the record batch is damaged: \(error)")
        }
    }

    private func isSelected(_ alert: AlertRecord) -> Bool {
        guard !selectors.isEmpty else { return true }
        guard let labels = try? Labels(alert.labels.map { Label($0.key, $0.value) }) else { return false }
        return selectors.contains { $0.matches(labels) }
    }

    private func append(gone record: RecordView, to output: inout ByteBuffer) -> Bool {
        guard let key = record.key else { return false }
        let name = String(decoding: key, as: UTF8.self)
        if format == .json {
            let id = record.headers.first(named: "weir-alert-id")?.value.map { String(decoding: $0, as: UTF8.self) }
            let gone = ["status": AlertState.inactive.rawValue, "id": id ?? name]
            output.writeString(LiveFormat.json(gone) + "\n")
        } else {
            output.writeString(
                "\(Timestamp(milliseconds: record.timestamp)) inactive \(name): went away before it fired\n")
        }
        return true
    }

    private static func text(of alert: AlertRecord) -> String {
        let time = alert.endsAt ?? alert.startsAt ?? alert.activeAt
        var text = "\(time) \(alert.status.rawValue) \(alert.labels["alertname"] ?? "") \(alert.series)"
        text += " = \(alert.value) (\(alert.expr)), since \(alert.activeAt)"
        switch alert.ending {
        case .seriesEnded: text += "; the series ended"
        case .conditionChanged: text += "; the condition is not asked for any more"
        case .value, nil: break
        }
        let annotations = alert.annotations.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return annotations.isEmpty ? text : text + " | " + annotations.joined(separator: " | ")
    }
}
