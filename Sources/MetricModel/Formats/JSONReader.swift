/// Reads JSON from bytes piece by piece, building nothing: whoever reads asks for what it expects next.
///
/// Takes any bytes; nesting is bounded. A value; lives as long as its bytes. Source: RFC 8259.
struct JSONReader {
    /// A string without its quotes.
    struct Piece {
        let bytes: UnsafeRawBufferPointer
        let isEscaped: Bool

        func equals(_ text: StaticString) -> Bool {
            !isEscaped && bytes.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
    }

    static let maximumDepth = 32

    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next byte that is no blank; nil at the end.
    mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return bytes[position]
            }
        }
        return nil
    }

    /// Whether the next byte is this one; then it is passed over.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(TextFormatError.Reason) {
        guard take(byte) else { throw error("no '\(Character(UnicodeScalar(byte)))'") }
    }

    /// Whether another element of an array or object follows the one before; else its end is passed over.
    mutating func nextElement(isFirst: Bool, end: UInt8) throws(TextFormatError.Reason) -> Bool {
        if take(end) { return false }
        if !isFirst { try expect(UInt8(ascii: ",")) }
        return true
    }

    mutating func string() throws(TextFormatError.Reason) -> Piece {
        guard take(UInt8(ascii: "\"")) else { throw error("no string") }
        let start = position
        var isEscaped = false
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return Piece(
                    bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<(position - 1)]), isEscaped: isEscaped)
            case UInt8(ascii: "\\"):
                isEscaped = true
                position += 1
                if position < bytes.count { position += 1 }
            case 0..<0x20: throw error("a control character in a string")
            default: position += 1
            }
        }
        throw error("a string is not closed")
    }

    mutating func number() throws(TextFormatError.Reason) -> Double {
        guard let first = peek(), first == UInt8(ascii: "-") || first.isDigit else { throw error("no number") }
        let start = position
        while position < bytes.count, Self.isNumberByte(bytes[position]) { position += 1 }
        let text = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        guard let number = DecimalText.double(text) else { throw .invalidNumber(TextFormat.excerpt(text)) }
        return number
    }

    /// Whether the next value is `null`, which is then passed over.
    mutating func takeNull() -> Bool {
        takeWord("null")
    }

    /// Passes over any value, checking that it is one, and gives its bytes.
    mutating func skipValue() throws(TextFormatError.Reason) -> UnsafeRawBufferPointer {
        _ = peek()
        let start = position
        try skip(depth: 0)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    private mutating func skip(depth: Int) throws(TextFormatError.Reason) {
        guard depth < Self.maximumDepth else { throw error("nested deeper than \(Self.maximumDepth)") }
        switch peek() {
        case UInt8(ascii: "{"):
            position += 1
            var isFirst = true
            while try nextElement(isFirst: isFirst, end: UInt8(ascii: "}")) {
                _ = try string()
                try expect(UInt8(ascii: ":"))
                try skip(depth: depth + 1)
                isFirst = false
            }
        case UInt8(ascii: "["):
            position += 1
            var isFirst = true
            while try nextElement(isFirst: isFirst, end: UInt8(ascii: "]")) {
                try skip(depth: depth + 1)
                isFirst = false
            }
        case UInt8(ascii: "\""): _ = try string()
        default:
            if takeWord("null") || takeWord("true") || takeWord("false") { return }
            _ = try number()
        }
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        guard peek() != nil, bytes.count - position >= word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount where bytes[position + index] != word.utf8Start[index] {
            return false
        }
        position += word.utf8CodeUnitCount
        return true
    }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        byte.isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
            || byte | 0x20 == UInt8(ascii: "e")
    }

    func error(_ what: String) -> TextFormatError.Reason {
        .malformed("no JSON as expected: \(what) at byte \(position)")
    }
}

extension JSONReader.Piece {
    /// Appends the string's text. Escapes that mean no character become U+FFFD.
    func append(to text: inout [UInt8]) {
        guard isEscaped else { return text.append(contentsOf: bytes) }
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte == UInt8(ascii: "\\"), position < bytes.count else {
                text.append(byte)
                continue
            }
            let escape = bytes[position]
            position += 1
            switch escape {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                text.append(contentsOf: String(scalar(from: &position)).utf8)
            default: text.append(escape)
            }
        }
    }

    /// The character whose `\u` has just been read: four hexadecimal digits, or a pair of surrogates.
    private func scalar(from position: inout Int) -> Character {
        let replacement = Character("\u{FFFD}")
        guard let unit = hexadecimal(at: position) else { return replacement }
        position += 4
        if let scalar = UnicodeScalar(unit) { return Character(scalar) }
        guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u"), let low = hexadecimal(at: position + 2),
            (0xDC00...0xDFFF).contains(low),
            let scalar = UnicodeScalar(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
        else { return replacement }
        position += 6
        return Character(scalar)
    }

    private func hexadecimal(at start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        var number: UInt32 = 0
        for byte in bytes[start..<(start + 4)] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): number = number << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return number
    }
}
