internal import Glibc

/// The line that begins a record on a direct link, from a publisher to a subscriber without a broker between them:
///
///     # weir-record bytes=118 samples=2 timestamp=1767225600000 topic=metrics.load instance=web-1␊
///     node_load1{instance="web-1"} 0.5 1767225600000␊                                               ┐ 118 bytes in the
///     node_load5{instance="web-1"} 0.25 1767225600000␊                                              ┘ topic's format
///
/// To everything that reads the Prometheus text format the line is a comment, so a stream can be looked at, stored and
/// piped with any tool. The fields stand in this order, with one blank between them. The instance goes to the end of the
/// line; in it a backslash is `\\` and a line feed `\n`.
///
/// A value. docs/direct.md describes the link.
public struct DirectRecordHeader: Hashable, Sendable {
    /// What every such line begins with, and no other comment.
    public static let prefix: StaticString = "# weir-record "
    /// Of the whole line, its line feed included.
    public static let maximumBytes = 2048

    /// Of the text that follows.
    public var byteCount: Int
    /// Lines of it that are samples, as the publisher counts them: what it has lost when the record is.
    public var sampleCount: Int
    /// When the samples were collected. Lines without a timestamp have this one.
    public var timestamp: Timestamp
    /// Where the record would go if there were a broker, such as `metrics.cpu`.
    public var topic: String
    /// Whose samples they are: the record's key.
    public var instance: String

    public init(byteCount: Int, sampleCount: Int, timestamp: Timestamp, topic: String, instance: String) {
        self.byteCount = byteCount
        self.sampleCount = sampleCount
        self.timestamp = timestamp
        self.topic = topic
        self.instance = instance
    }

    /// The line, with its line feed.
    public var line: String {
        let isPlain = !instance.utf8.contains { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\n") }
        return "\(Self.prefix)bytes=\(byteCount) samples=\(sampleCount) timestamp=\(timestamp.milliseconds) "
            + "topic=\(topic) instance=\(isPlain ? instance : Self.escape(instance))\n"
    }

    /// Reads a line, without its line feed.
    ///
    /// - Throws: ``DirectRecordError`` for anything but such a line.
    public init(parsing line: UnsafeRawBufferPointer) throws(DirectRecordError) {
        var rest = line[...]
        guard Self.begins(line) else { throw .noHeader }
        rest = rest.dropFirst(Self.prefix.utf8CodeUnitCount)
        byteCount = try Self.number("bytes=", of: &rest)
        sampleCount = try Self.number("samples=", of: &rest)
        let milliseconds = try Self.text("timestamp=", of: &rest)
        guard let milliseconds = DecimalText.integer(milliseconds) else { throw .invalidField("timestamp") }
        timestamp = Timestamp(milliseconds: milliseconds)
        topic = String(decoding: try Self.text("topic=", of: &rest), as: UTF8.self)
        guard Self.take("instance=", from: &rest) else { throw .invalidField("instance") }
        instance = Self.unescape(rest)
        guard byteCount >= 0, sampleCount >= 0 else { throw .invalidField(byteCount < 0 ? "bytes" : "samples") }
        guard !topic.isEmpty else { throw .invalidField("topic") }
    }

    /// Whether the bytes begin a record: they have the prefix, or as much of it as there are bytes.
    public static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = min(bytes.count, prefix.utf8CodeUnitCount)
        guard count > 0, let start = bytes.baseAddress else { return false }
        return memcmp(start, prefix.utf8Start, count) == 0
    }

    private static func number(
        _ name: StaticString, of rest: inout Slice<UnsafeRawBufferPointer>
    ) throws(DirectRecordError) -> Int {
        let text = try text(name, of: &rest)
        guard let number = DecimalText.integer(text).flatMap({ Int(exactly: $0) }) else {
            throw .invalidField("\(name)".filter(\.isLetter))
        }
        return number
    }

    /// What stands between `name` and the next blank.
    private static func text(
        _ name: StaticString, of rest: inout Slice<UnsafeRawBufferPointer>
    ) throws(DirectRecordError) -> UnsafeRawBufferPointer {
        guard take(name, from: &rest), let blank = rest.firstIndex(of: UInt8(ascii: " ")) else {
            throw .invalidField("\(name)".filter(\.isLetter))
        }
        defer { rest = rest[(blank + 1)...] }
        return UnsafeRawBufferPointer(rebasing: rest[..<blank])
    }

    private static func take(_ text: StaticString, from rest: inout Slice<UnsafeRawBufferPointer>) -> Bool {
        let name = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard rest.starts(with: name) else { return false }
        rest = rest.dropFirst(name.count)
        return true
    }

    private static func escape(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "\\": escaped += #"\\"#
            case "\n": escaped += #"\n"#
            case "\r\n": escaped += "\r\\n"
            default: escaped.append(character)
            }
        }
    }

    private static func unescape(_ text: Slice<UnsafeRawBufferPointer>) -> String {
        guard text.contains(UInt8(ascii: "\\")) else { return String(decoding: text, as: UTF8.self) }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in text {
            if isEscaped {
                bytes.append(byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A line that was meant to begin a record and does not.
public enum DirectRecordError: Error, Hashable, CustomStringConvertible {
    case noHeader
    case invalidField(String)

    public var description: String {
        switch self {
        case .noHeader: "the line does not begin with '\(DirectRecordHeader.prefix)'"
        case .invalidField(let name):
            "the field '\(name)' is missing, out of place or no value of its kind; a record begins with "
                + "'\(DirectRecordHeader.prefix)bytes=… samples=… timestamp=… topic=… instance=…'"
        }
    }
}
