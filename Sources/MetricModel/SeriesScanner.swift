internal import Glibc

/// Finds where a series' name and labels stand in a line and checks them against the grammar and the limits.
///
/// One scanner serves all lines of a text, so that its storage is allocated once. It keeps places, never text:
///
///     name { label = "value" , … }        plain
///     { "name" , "label" = "value" , … }  quoted
struct SeriesScanner {
    /// A piece of the line without its quotes.
    struct Piece {
        var start: Int
        var end: Int
        /// Whether it holds escapes, so that its bytes are not its text.
        var isEscaped = false
        /// Backslashes that stand for themselves alone and are two when they are written again.
        var plainBackslashes = 0

        var count: Int { end - start }
        /// Bytes as the writer writes it, which the limits are about: what was read can be written and read again.
        var writtenCount: Int { count + plainBackslashes }
    }

    let limits: TextFormat.Limits
    private(set) var metricName: Piece?
    private(set) var labels: [(name: Piece, value: Piece)] = []

    init(limits: TextFormat.Limits) {
        self.limits = limits
    }

    /// Scans the series that begins at the line's first byte and returns where it ends.
    mutating func scan(_ line: UnsafeRawBufferPointer) throws(TextFormatError.Reason) -> Int {
        metricName = nil
        labels.removeAll(keepingCapacity: true)
        var position = 0
        while position < line.count, line[position].isNameByte || line[position] == UInt8(ascii: ":") {
            position += 1
        }
        if position > 0 {
            let name = Piece(start: 0, end: position)
            if line[0].isDigit { throw .invalidName(excerpt(line, name)) }
            try checkLength(of: name, in: line)
            metricName = name
        }
        let brace = TextFormat.skipBlanks(line, from: position)
        guard brace < line.count, line[brace] == UInt8(ascii: "{") else {
            if metricName == nil { throw .missingName }
            return position
        }
        position = try scanLabels(line, from: brace + 1)
        if metricName == nil { throw .missingName }
        return position
    }

    /// From after the opening brace to after the closing one.
    private mutating func scanLabels(
        _ line: UnsafeRawBufferPointer, from start: Int
    ) throws(TextFormatError.Reason) -> Int {
        var position = start
        while true {
            position = TextFormat.skipBlanks(line, from: position)
            guard position < line.count else { throw .unterminatedLabels }
            if line[position] == UInt8(ascii: "}") { return position + 1 }
            position = try scanLabel(line, from: position)
            position = TextFormat.skipBlanks(line, from: position)
            guard position < line.count else { throw .unterminatedLabels }
            if line[position] == UInt8(ascii: ",") {
                position += 1
            } else if line[position] != UInt8(ascii: "}") {
                throw .missingComma
            }
        }
    }

    private mutating func scanLabel(
        _ line: UnsafeRawBufferPointer, from start: Int
    ) throws(TextFormatError.Reason) -> Int {
        let isQuoted = line[start] == UInt8(ascii: "\"")
        var name: Piece
        var position: Int
        if isQuoted {
            name = try scanQuoted(line, from: start + 1)
            position = name.end + 1
        } else {
            name = Piece(start: start, end: start)
            while name.end < line.count, line[name.end].isNameByte { name.end += 1 }
            if name.count == 0 || line[start].isDigit {
                name.end = min(line.count, max(name.end, start + 1))
                throw .invalidName(excerpt(line, name))
            }
            position = name.end
        }
        try checkLength(of: name, in: line)
        position = TextFormat.skipBlanks(line, from: position)
        guard position < line.count, line[position] == UInt8(ascii: "=") else {
            // A quoted text without a value is the metric's name.
            guard isQuoted else { throw .missingEquals(label: excerpt(line, name)) }
            if name.count == 0 { throw .missingName }
            if metricName != nil { throw .nameGivenTwice }
            metricName = name
            return position
        }
        if name.count == 0 { throw .invalidName("") }
        position = TextFormat.skipBlanks(line, from: position + 1)
        guard position < line.count, line[position] == UInt8(ascii: "\"") else {
            throw .valueNotQuoted(label: excerpt(line, name))
        }
        let value = try scanQuoted(line, from: position + 1)
        if value.writtenCount > limits.maximumLabelValueBytes {
            throw .labelValueTooLong(
                label: excerpt(line, name), maximumLabelValueBytes: limits.maximumLabelValueBytes)
        }
        try add(name, value, line)
        return value.end + 1
    }

    private mutating func add(
        _ name: Piece, _ value: Piece, _ line: UnsafeRawBufferPointer
    ) throws(TextFormatError.Reason) {
        if Self.isSame(name, in: line, as: "__name__") {
            if metricName != nil { throw .nameGivenTwice }
            if value.count == 0 { throw .missingName }
            metricName = value
            return
        }
        for other in labels where other.name.count == name.count && Self.isSame(other.name, name, in: line) {
            throw .duplicateLabel(excerpt(line, name))
        }
        if labels.count == limits.maximumLabels { throw .tooManyLabels(maximumLabels: limits.maximumLabels) }
        labels.append((name, value))
    }

    /// From after the opening quote up to the closing one.
    private func scanQuoted(
        _ line: UnsafeRawBufferPointer, from start: Int
    ) throws(TextFormatError.Reason) -> Piece {
        var piece = Piece(start: start, end: start)
        var seenBits: UInt8 = 0
        while piece.end < line.count {
            let byte = line[piece.end]
            if byte == UInt8(ascii: "\"") {
                if seenBits >= 0x80, !Self.isUTF8(piece, in: line) { throw .notUTF8 }
                return piece
            }
            seenBits |= byte
            if byte == UInt8(ascii: "\\") {
                piece.isEscaped = true
                piece.end += 1
                if piece.end < line.count {
                    let escaped = line[piece.end]
                    seenBits |= escaped
                    if escaped != UInt8(ascii: "\\"), escaped != UInt8(ascii: "\""), escaped != UInt8(ascii: "n") {
                        piece.plainBackslashes += 1
                    }
                }
            }
            piece.end += 1
        }
        throw .unterminatedQuote
    }

    private func checkLength(
        of name: Piece, in line: UnsafeRawBufferPointer
    ) throws(TextFormatError.Reason) {
        if name.writtenCount > limits.maximumNameBytes {
            throw .nameTooLong(excerpt(line, name), maximumNameBytes: limits.maximumNameBytes)
        }
    }

    /// A piece as text, its escapes undone: `\\`, `\"` and `\n`; a backslash before anything else stays.
    func text(_ piece: Piece, in line: UnsafeRawBufferPointer) -> String {
        let bytes = UnsafeRawBufferPointer(rebasing: line[piece.start..<piece.end])
        guard piece.isEscaped else { return String(decoding: bytes, as: UTF8.self) }
        var unescaped: [UInt8] = []
        unescaped.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            var byte = bytes[position]
            if byte == UInt8(ascii: "\\"), position + 1 < bytes.count {
                switch bytes[position + 1] {
                case UInt8(ascii: "\\"): position += 1
                case UInt8(ascii: "\""):
                    position += 1
                    byte = UInt8(ascii: "\"")
                case UInt8(ascii: "n"):
                    position += 1
                    byte = UInt8(ascii: "\n")
                default: break
                }
            }
            unescaped.append(byte)
            position += 1
        }
        return String(decoding: unescaped, as: UTF8.self)
    }

    private func excerpt(_ line: UnsafeRawBufferPointer, _ piece: Piece) -> String {
        TextFormat.excerpt(UnsafeRawBufferPointer(rebasing: line[piece.start..<piece.end]))
    }

    private static func isSame(_ piece: Piece, in line: UnsafeRawBufferPointer, as text: StaticString) -> Bool {
        guard piece.count == text.utf8CodeUnitCount, let base = line.baseAddress else { return false }
        return memcmp(base + piece.start, text.utf8Start, piece.count) == 0
    }

    private static func isSame(_ one: Piece, _ other: Piece, in line: UnsafeRawBufferPointer) -> Bool {
        guard let base = line.baseAddress else { return false }
        return memcmp(base + one.start, base + other.start, one.count) == 0
    }

    private static func isUTF8(_ piece: Piece, in line: UnsafeRawBufferPointer) -> Bool {
        let bytes = UnsafeRawBufferPointer(rebasing: line[piece.start..<piece.end])
        return String(validating: bytes, as: UTF8.self) != nil
    }
}
