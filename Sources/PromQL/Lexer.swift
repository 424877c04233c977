internal import MetricModel

/// Cuts a query into tokens, one at a time. Blanks, line ends and comments (`#` to the line's end) separate tokens.
struct Lexer {
    let query: String
    private let bytes: [UInt8]
    private var position = 0

    init(_ query: String) {
        self.query = query
        bytes = Array(query.utf8)
    }

    /// The next token; after the last one, `end` again and again.
    mutating func next() throws(PromQLError) -> Token {
        skipSpace()
        let start = position
        guard let byte = peek() else { return Token(kind: .end, range: start..<start, text: "") }
        switch byte {
        case UInt8(ascii: "{"): return sign(.leftBrace, 1)
        case UInt8(ascii: "}"): return sign(.rightBrace, 1)
        case UInt8(ascii: "["): return sign(.leftBracket, 1)
        case UInt8(ascii: "]"): return sign(.rightBracket, 1)
        case UInt8(ascii: "("): return sign(.leftParenthesis, 1)
        case UInt8(ascii: ")"): return sign(.rightParenthesis, 1)
        case UInt8(ascii: ","): return sign(.comma, 1)
        case UInt8(ascii: "="): return peek(1) == UInt8(ascii: "~") ? sign(.matches, 2) : sign(.equal, 1)
        case UInt8(ascii: "!") where peek(1) == UInt8(ascii: "="): return sign(.notEqual, 2)
        case UInt8(ascii: "!") where peek(1) == UInt8(ascii: "~"): return sign(.notMatches, 2)
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try string(quote: byte)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."): return try numberOrDuration()
        case _ where isNameByte(byte) || byte == UInt8(ascii: ":"): return name()
        default: throw unexpectedCharacter()
        }
    }

    /// An error that points at a part of this query.
    func error(_ message: String, at range: Range<Int>) -> PromQLError {
        PromQLError(query: query, range: range, message: message)
    }

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    private mutating func skipSpace() {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
            case UInt8(ascii: "#"): while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
            default: return
            }
        }
    }

    private mutating func sign(_ kind: Token.Kind, _ length: Int) -> Token {
        position += length
        return token(kind, from: position - length)
    }

    private func token(_ kind: Token.Kind, from start: Int) -> Token {
        Token(kind: kind, range: start..<position, text: String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func name() -> Token {
        let start = position
        var kind = Token.Kind.identifier
        while let byte = peek(), isNameByte(byte) || byte == UInt8(ascii: ":") {
            if byte == UInt8(ascii: ":") { kind = .metricIdentifier }
            position += 1
        }
        return token(kind, from: start)
    }

    /// `5m`, `1h30m`, `42`, `1.5e3`.
    private mutating func numberOrDuration() throws(PromQLError) -> Token {
        let start = position
        while let byte = peek(), isNameByte(byte) || byte == UInt8(ascii: ".") || isExponentSign(byte) {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if Double(text) != nil { return token(.number, from: start) }
        if (try? Duration(text: text)) != nil { return token(.duration, from: start) }
        throw error("\"\(text)\" is neither a number nor a duration such as 1h30m", at: start..<position)
    }

    private func isExponentSign(_ byte: UInt8) -> Bool {
        guard byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"), position > 0 else { return false }
        return bytes[position - 1] | 0x20 == UInt8(ascii: "e")
    }

    private func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private func unexpectedCharacter() -> PromQLError {
        var end = position + 1
        while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
        let character = String(decoding: bytes[position..<end], as: UTF8.self)
        let hint = bytes[position] == UInt8(ascii: "!") ? "; write != or !~" : ""
        return error("unexpected character \"\(character)\"\(hint)", at: position..<end)
    }
}

// MARK: - Strings

extension Lexer {
    private mutating func string(quote: UInt8) throws(PromQLError) -> Token {
        let start = position
        position += 1
        var text: [UInt8] = []
        while let byte = peek() {
            if byte == quote {
                position += 1
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw error("the escapes of this string do not make UTF-8", at: start..<position)
                }
                return Token(kind: .string, range: start..<position, text: valid)
            }
            if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") {
                try escape(into: &text, quote: quote)
                continue
            }
            if byte == UInt8(ascii: "\n"), quote != UInt8(ascii: "`") { break }
            text.append(byte)
            position += 1
        }
        let sign = String(decoding: [quote], as: UTF8.self)
        throw error("this string has no closing \(sign)", at: start..<position)
    }

    /// One escape of a single- or double-quoted string, as in Go: `\n`, `\\`, `\"`, `\x41`, `\101`, `\u00fc`, ….
    private mutating func escape(into text: inout [UInt8], quote: UInt8) throws(PromQLError) {
        let start = position
        position += 1
        let letter = peek()
        position += letter == nil ? 0 : 1
        switch letter {
        case UInt8(ascii: "a"): text.append(0x07)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "v"): text.append(0x0B)
        case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
        case quote: text.append(quote)
        case UInt8(ascii: "x"): text.append(UInt8(truncatingIfNeeded: try digits(2, radix: 16, from: start)))
        case UInt8(ascii: "u"): try appendScalar(digits: 4, from: start, to: &text)
        case UInt8(ascii: "U"): try appendScalar(digits: 8, from: start, to: &text)
        case .some(UInt8(ascii: "0")...UInt8(ascii: "7")):
            position -= 1
            let number = try digits(3, radix: 8, from: start)
            guard let byte = UInt8(exactly: number) else { throw unknownEscape(from: start) }
            text.append(byte)
        default:
            while let byte = peek(), byte & 0xC0 == 0x80 { position += 1 }
            throw unknownEscape(from: start)
        }
    }

    private mutating func appendScalar(
        digits count: Int, from start: Int, to text: inout [UInt8]
    ) throws(PromQLError) {
        guard let scalar = Unicode.Scalar(try digits(count, radix: 16, from: start)) else {
            throw unknownEscape(from: start)
        }
        text.append(contentsOf: Character(scalar).utf8)
    }

    private mutating func digits(_ count: Int, radix: UInt32, from start: Int) throws(PromQLError) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<count {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix else {
                throw unknownEscape(from: start)
            }
            // At most eight hexadecimal digits, which fit.
            number = number * radix + UInt32(digit)
            position += 1
        }
        return number
    }

    private func unknownEscape(from start: Int) -> PromQLError {
        error(
            "\"\(String(decoding: bytes[start..<position], as: UTF8.self))\" is no escape; for a plain backslash write "
                + "\\\\ or put the string in backquotes", at: start..<position)
    }
}
