import ArgumentParser
import FoundationEssentials
import MetricModel
import NIOCore
import Subscriber

/// How `weir live` writes a sample.
enum LiveFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// `2026-02-28T23:59:59.250Z node_load1{instance="a"} 0.5`
    case text
    /// `{"metric":{"__name__":"node_load1","instance":"a"},"value":[1772323199.25,"0.5"]}`, an element of the vectors of
    /// Prometheus's API.
    case json
    /// `node_load1{instance="a"} 0.5 1772323199250`, the text exposition format.
    case prometheus

    /// What is written for each sample of a series; made once.
    @Sendable func describe(_ labels: Labels) -> String {
        guard self == .json else { return labels.description }
        return Self.json(Dictionary(labels.map { ($0.name, $0.value) }) { first, _ in first })
    }

    /// An object of texts, which always can be encoded.
    static func json(_ texts: [String: String]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(texts)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

/// Writes samples as lines. Samples of one collector run share their time, whose text is made once for them.
struct LiveWriter {
    let format: LiveFormat
    private var time: (timestamp: Timestamp, text: String)?

    init(_ format: LiveFormat) {
        self.format = format
    }

    mutating func append(_ sample: LiveDecoder.Sample, to output: inout ByteBuffer) {
        let value = TextFormat.text(sample.value)
        switch format {
        case .text:
            output.writeString(text(of: sample.timestamp))
            output.writeString(" ")
            output.writeBytes(sample.series)
            output.writeString(" \(value)\n")
        case .json:
            output.writeString(#"{"metric":"#)
            output.writeBytes(sample.series)
            output.writeString(#","value":[\#(text(of: sample.timestamp)),"\#(value)"]}"#)
            output.writeString("\n")
        case .prometheus:
            output.writeBytes(sample.series)
            output.writeString(" \(value) \(text(of: sample.timestamp))\n")
        }
    }

    private mutating func text(of timestamp: Timestamp) -> String {
        if let time, time.timestamp == timestamp { return time.text }
        let text =
            switch format {
            case .text: "\(timestamp)"
            case .json: TextFormat.text(Double(timestamp.milliseconds) / 1000)
            case .prometheus: "\(timestamp.milliseconds)"
            }
        time = (timestamp, text)
        return text
    }
}
