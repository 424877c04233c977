import ArgumentParser
import FoundationEssentials
import KafkaProtocol
import MetricModel
import NIOCore
import RecordBatch

/// How `weir consume` writes a record.
enum RecordFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// The value and a line feed.
    case raw
    /// One object a line.
    case json
    /// The metric samples in the value, one a line, each with its timestamp.
    case samples

    /// Appends one record. Returns what is to be said of it on standard error, a line each.
    func append(_ record: RecordView, of partition: TopicPartition, to output: inout ByteBuffer) -> [String] {
        switch self {
        case .raw:
            if let value = record.value { output.writeBytes(value) }
            output.writeInteger(UInt8(ascii: "\n"))
            return []
        case .json:
            appendJSON(record, partition, &output)
            return []
        case .samples:
            return appendSamples(record, partition, &output)
        }
    }

    private func appendJSON(_ record: RecordView, _ partition: TopicPartition, _ output: inout ByteBuffer) {
        output.writeString(#"{"topic":""#)
        // A topic's name has no character that JSON escapes.
        output.writeString(partition.topic.rawValue)
        output.writeString(
            #"","partition":\#(partition.partition.rawValue),"offset":\#(record.offset.rawValue),"#)
        output.writeString(#""timestamp":\#(record.timestamp),"#)
        appendJSON("key", record.key, &output)
        output.writeString(",")
        appendJSON("value", record.value, &output)
        output.writeString(#","headers":["#)
        var isFirst = true
        for header in record.headers {
            output.writeString(isFirst ? "{" : ",{")
            isFirst = false
            appendJSON("key", header.key, &output)
            output.writeString(",")
            appendJSON("value", header.value, &output)
            output.writeString("}")
        }
        output.writeString("]}\n")
    }

    /// `"name":"text"`, `"name":null`, or, for bytes that are no text, `"nameBase64":"…"`.
    private func appendJSON(_ name: String, _ bytes: UnsafeRawBufferPointer?, _ output: inout ByteBuffer) {
        guard let bytes else {
            output.writeString(#""\#(name)":null"#)
            return
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            output.writeString(#""\#(name)Base64":"\#(Data(bytes).base64EncodedString())""#)
            return
        }
        output.writeString(#""\#(name)":""#)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): output.writeString(#"\""#)
            case UInt8(ascii: "\\"): output.writeString(#"\\"#)
            case UInt8(ascii: "\n"): output.writeString(#"\n"#)
            case UInt8(ascii: "\r"): output.writeString(#"\r"#)
            case UInt8(ascii: "\t"): output.writeString(#"\t"#)
            case 0..<0x20: output.writeString(byte < 16 ? #"\u000"# : #"\u001"#); output.writeString(Self.hex(byte))
            default: output.writeInteger(byte)
            }
        }
        output.writeString("\"")
    }

    /// The lower digit.
    private static func hex(_ byte: UInt8) -> String { String(byte & 0xF, radix: 16) }

    private func appendSamples(
        _ record: RecordView, _ partition: TopicPartition, _ output: inout ByteBuffer
    ) -> [String] {
        guard let value = record.value else { return [] }
        var complaints: [String] = []
        TextFormat.forEachLine(
            in: value, defaultTimestamp: Timestamp(milliseconds: record.timestamp),
            rejected: { complaints.append("\(partition) at offset \(record.offset): \($0)") },
            { line in
                output.writeBytes(line.series)
                output.writeString(" \(TextFormat.text(line.value)) \(line.timestamp.milliseconds)\n")
            })
        return complaints
    }
}
