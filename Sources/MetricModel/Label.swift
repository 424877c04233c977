/// A name and a value, one dimension of a series.
///
/// Two labels are equal when their UTF-8 bytes are, as in Prometheus; Swift's `String` alone would also call
/// differently composed characters equal, and two series would become one.
public struct Label: Sendable {
    /// The label that holds the metric's name.
    public static let metricName = "__name__"

    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    public init(name: String, value: String) {
        self.init(name, value)
    }

    /// Whether `name` may stand unquoted before `=`: `[a-zA-Z_][a-zA-Z0-9_]*`.
    public static func isPlainName(_ name: String) -> Bool {
        isPlain(name, colons: false)
    }

    /// Whether `name` may stand unquoted before `{`: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    public static func isPlainMetricName(_ name: String) -> Bool {
        isPlain(name, colons: true)
    }

    private static func isPlain(_ name: String, colons: Bool) -> Bool {
        guard let first = name.utf8.first, !first.isDigit else { return false }
        return name.utf8.allSatisfy { $0.isNameByte || (colons && $0 == UInt8(ascii: ":")) }
    }
}

extension Label: Hashable {
    public static func == (left: Label, right: Label) -> Bool {
        left.name.hasSameBytes(as: right.name) && left.value.hasSameBytes(as: right.value)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(value)
    }
}

extension Label: CustomStringConvertible {
    public var description: String {
        var writer = TextFormat.Writer()
        writer.append(label: self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension String {
    /// Whether both hold the same UTF-8 bytes.
    package func hasSameBytes(as other: String) -> Bool {
        // Equal bytes imply equal strings, and that comparison is quick, so it goes first.
        self == other && utf8.elementsEqual(other.utf8)
    }

    /// Whether this string's UTF-8 bytes sort before the other's.
    package func precedes(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }
}

extension UInt8 {
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    /// A letter, a digit or an underscore.
    var isNameByte: Bool {
        (self | 0x20) &- UInt8(ascii: "a") < 26 || self &- UInt8(ascii: "0") < 10 || self == UInt8(ascii: "_")
    }

    /// A blank or a tab, which separate tokens.
    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
