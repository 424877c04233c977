public import NIOCore

/// Bytes as a person can read them on one line: text in quotes, with what does not print escaped, and anything that is no
/// text in hexadecimal.
public struct PrintableBytes: CustomStringConvertible, Sendable {
    public let description: String
    /// The text as it is, without quotes and escapes; what is no text in hexadecimal.
    public let unquoted: String

    /// - Parameter maximumBytes: what goes beyond is left out, and its size said.
    public init(_ buffer: ByteBuffer?, maximumBytes: Int = 200) {
        guard let buffer else {
            description = "null"
            unquoted = ""
            return
        }
        let shown = buffer.readableBytesView.prefix(maximumBytes)
        let rest = buffer.readableBytes - shown.count
        var text: String
        if let characters = Self.text(shown, isCut: rest > 0) {
            unquoted = characters
            text = "\"" + characters.unicodeScalars.map(Self.escaped).joined() + "\""
        } else {
            text = "0x" + shown.map(Self.hexadecimal).joined()
            unquoted = text
        }
        if rest > 0 { text += " and \(rest) bytes more" }
        description = text
    }

    /// The bytes as UTF-8; where they were cut the last character may lack some.
    private static func text(_ bytes: some BidirectionalCollection<UInt8>, isCut: Bool) -> String? {
        for dropped in 0...(isCut ? min(3, bytes.count) : 0) {
            if let text = String(validating: bytes.dropLast(dropped), as: UTF8.self) { return text }
        }
        return nil
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\t": "\\t"
        case "\r": "\\r"
        case _ where scalar.properties.generalCategory == .control: "\\u{\(String(scalar.value, radix: 16))}"
        default: String(Character(scalar))
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
