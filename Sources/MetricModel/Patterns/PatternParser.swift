/// Reads a regular expression in RE2's syntax (https://github.com/google/re2/wiki/Syntax), which is Prometheus's; of
/// Unicode properties only general categories. Like there, nothing that needs backtracking exists: no look-around, no
/// back-references.
struct PatternParser {
    /// As in RE2.
    private static let maximumRepetition = 1000
    /// Groups within groups; the parser is recursive.
    private static let maximumDepth = 200

    private struct Flags {
        var ignoresCase = false
        var dotMatchesLineFeed = true
        var isMultiline = false
    }

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var flags = Flags()
    private var depth = 0

    private init(_ source: String) {
        scalars = Array(source.unicodeScalars)
    }

    static func parse(_ source: String) throws(PatternSyntaxError) -> PatternNode {
        var parser = PatternParser(source)
        let node = try parser.alternatives()
        if parser.peek() != nil { throw PatternSyntaxError(reason: "a ')' has no '('") }
        return node
    }

    private func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        position + distance < scalars.count ? scalars[position + distance] : nil
    }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    private mutating func alternatives() throws(PatternSyntaxError) -> PatternNode {
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .alternatives(parts)
    }

    private mutating func sequence() throws(PatternSyntaxError) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = peek(), scalar != "|", scalar != ")" {
            var node: PatternNode
            if take("\\Q") {
                while peek() != nil, !take("\\E") { parts.append(literal(scalars[position], advance: true)) }
                node = parts.popLast() ?? .empty
            } else {
                node = try atom()
            }
            var isRepeated = false
            while let (minimum, maximum) = try repetition() {
                if isRepeated { throw PatternSyntaxError(reason: "a repetition cannot be repeated; use a group") }
                // However often, nothing is nothing; compiling it again and again would take its time.
                if node != .empty { node = .repetition(node, minimum: minimum, maximum: maximum) }
                isRepeated = true
                // Whether it takes as much or as little as it can makes no difference to whole values.
                _ = take("?")
            }
            if node != .empty { parts.append(node) }
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func literal(_ scalar: Unicode.Scalar, advance: Bool = false) -> PatternNode {
        if advance { position += 1 }
        return .scalar(ScalarSet(scalar, ignoresCase: flags.ignoresCase))
    }

    private mutating func atom() throws(PatternSyntaxError) -> PatternNode {
        guard let scalar = peek() else { return .empty }
        position += 1
        switch scalar {
        case "(": return try group()
        case "[": return .scalar(try characterClass())
        case ".": return .scalar(flags.dotMatchesLineFeed ? .any : .anyButLineFeed)
        case "^": return .assertion(flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
        case "*", "+", "?": throw PatternSyntaxError(reason: "'\(scalar)' has nothing to repeat")
        case "\\": return try escape()
        case "{":
            position -= 1
            if try repetition() != nil { throw PatternSyntaxError(reason: "'{' has nothing to repeat") }
            return literal(scalar, advance: true)
        default: return literal(scalar)
        }
    }

    // MARK: Repetitions

    private mutating func repetition() throws(PatternSyntaxError) -> (minimum: Int, maximum: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        let start = position
        guard take("{"), let minimum = number() else {
            position = start
            return nil
        }
        var maximum: Int? = minimum
        if take(",") { maximum = number() }
        guard take("}") else {
            // A brace that counts nothing is a character like others.
            position = start
            return nil
        }
        guard minimum <= Self.maximumRepetition, maximum ?? 0 <= Self.maximumRepetition else {
            throw PatternSyntaxError(reason: "it repeats something more than \(Self.maximumRepetition) times")
        }
        if let maximum, maximum < minimum {
            throw PatternSyntaxError(reason: "the repetition {\(minimum),\(maximum)} ends before it begins")
        }
        return (minimum, maximum)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = peek().flatMap({ ScalarSet.digit.contains($0) ? Int($0.value - 0x30) : nil }) {
            // Beyond the limit it only has to stay there.
            value = min((value ?? 0) * 10 + digit, 100_000)
            position += 1
        }
        return value
    }

    // MARK: Groups

    /// After the opening parenthesis.
    private mutating func group() throws(PatternSyntaxError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.maximumDepth {
            throw PatternSyntaxError(reason: "groups are nested more than \(Self.maximumDepth) deep")
        }
        let outer = flags
        if take("?") {
            if take("P<") || (peek() == "<" && peek(1) != "=" && peek(1) != "!" && take("<")) {
                try groupName()
            } else if try setFlags() {
                return .empty
            }
        }
        let node = try alternatives()
        guard take(")") else { throw PatternSyntaxError(reason: "a '(' is not closed") }
        flags = outer
        return node
    }

    private mutating func groupName() throws(PatternSyntaxError) {
        let start = position
        while let scalar = peek(), ScalarSet.word.contains(scalar) { position += 1 }
        guard position > start, take(">") else {
            throw PatternSyntaxError(reason: "a group's name is not closed by '>'")
        }
    }

    /// `(?i)` sets flags for what follows, `(?i:` for the group. True in the first case, the group's end included.
    private mutating func setFlags() throws(PatternSyntaxError) -> Bool {
        var isOn = true
        while let scalar = peek() {
            position += 1
            switch scalar {
            case "i": flags.ignoresCase = isOn
            case "s": flags.dotMatchesLineFeed = isOn
            case "m": flags.isMultiline = isOn
            case "U": break
            case "-" where isOn: isOn = false
            case ":": return false
            case ")": return true
            case "=", "!", "<": throw PatternSyntaxError(reason: "look-around is not supported")
            default: throw PatternSyntaxError(reason: "'(?\(scalar)' is not supported")
            }
        }
        throw PatternSyntaxError(reason: "a '(' is not closed")
    }
}

/// Why a text is no regular expression.
struct PatternSyntaxError: Error, Equatable {
    let reason: String
}

// MARK: - Escapes and character classes

extension PatternParser {
    /// After the backslash.
    private mutating func escape() throws(PatternSyntaxError) -> PatternNode {
        guard let scalar = peek() else { throw PatternSyntaxError(reason: "it ends in a backslash") }
        if let set = try escapedClass() { return .scalar(set) }
        let assertions: [Unicode.Scalar: PatternAssertion] = [
            "A": .textStart, "z": .textEnd, "b": .wordBoundary, "B": .noWordBoundary,
        ]
        if let assertion = assertions[scalar] {
            position += 1
            return .assertion(assertion)
        }
        // The end of a quotation that was not begun, as in RE2.
        if take("E") { return .empty }
        return literal(try escapedScalar())
    }

    /// `\d`, `\pL`, … after the backslash; nil for anything else.
    private mutating func escapedClass() throws(PatternSyntaxError) -> ScalarSet? {
        guard let scalar = peek() else { return nil }
        let simple: [Unicode.Scalar: ScalarSet] = ["d": .digit, "w": .word, "s": .space]
        if let set = simple[scalar] {
            position += 1
            return set
        }
        if scalar != "P", scalar != "p", scalar.isASCII,
            var set = simple[Unicode.Scalar(UInt8(scalar.value) | 0x20)]
        {
            position += 1
            set.isNegated = true
            return set
        }
        guard scalar == "p" || scalar == "P" else { return nil }
        position += 1
        var name = ""
        var isNegated = scalar == "P"
        if take("{") {
            if take("^") { isNegated.toggle() }
            while let scalar = peek(), scalar != "}" {
                name.unicodeScalars.append(scalar)
                position += 1
            }
            guard take("}") else { throw PatternSyntaxError(reason: "a '\\p{' is not closed") }
        } else if let letter = peek() {
            name.unicodeScalars.append(letter)
            position += 1
        }
        guard ["L", "M", "N", "P", "S", "Z", "C"].contains(name.prefix(1)), name.count <= 2 else {
            throw PatternSyntaxError(reason: "there is no general category '\(name)'; scripts are not supported")
        }
        var set = ScalarSet()
        set.properties = [.category(name, isNegated: isNegated)]
        return set
    }

    /// One escaped character, after the backslash.
    private mutating func escapedScalar() throws(PatternSyntaxError) -> Unicode.Scalar {
        guard let scalar = peek() else { throw PatternSyntaxError(reason: "it ends in a backslash") }
        position += 1
        switch scalar {
        case "a": return "\u{07}"
        case "f": return "\u{0C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{0B}"
        case "x":
            let isBraced = take("{")
            var value: UInt32 = 0
            var count = 0
            while count < (isBraced ? 8 : 2), let digit = peek().flatMap({ Character($0).hexDigitValue }) {
                value = value << 4 | UInt32(digit)
                position += 1
                count += 1
            }
            guard count > 0, isBraced ? take("}") : count == 2, let scalar = Unicode.Scalar(value) else {
                throw PatternSyntaxError(
                    reason: "'\\x' needs two hexadecimal digits, or a character's number in braces")
            }
            return scalar
        case "0"..."7":
            // One digit alone, but for zero, would be a back-reference elsewhere.
            var value = scalar.value - 0x30
            var count = 1
            while count < 3, let digit = peek(), ("0"..."7").contains(digit) {
                value = value * 8 + digit.value - 0x30
                position += 1
                count += 1
            }
            guard scalar == "0" || count > 1, let scalar = Unicode.Scalar(value) else {
                throw PatternSyntaxError(reason: "back-references are not supported")
            }
            return scalar
        default:
            guard scalar.isASCII, !ScalarSet.word.contains(scalar) || scalar == "_" else {
                throw PatternSyntaxError(reason: "'\\\(scalar)' is no escape")
            }
            return scalar
        }
    }

    /// After the opening bracket.
    private mutating func characterClass() throws(PatternSyntaxError) -> ScalarSet {
        var set = ScalarSet()
        set.isNegated = take("^")
        set.ignoresCase = flags.ignoresCase
        var isFirst = true
        while isFirst || peek() != "]" {
            if take("[:") {
                set.formUnion(try namedClass())
            } else if peek() == "\\", let escaped = try classEscape() {
                set.formUnion(escaped)
            } else {
                let low = try classScalar()
                var high = low
                if peek() == "-", let next = peek(1), next != "]" {
                    position += 1
                    high = try classScalar()
                }
                guard low <= high else {
                    throw PatternSyntaxError(reason: "the range '\(low)-\(high)' ends before it begins")
                }
                set.ranges.append(low.value...high.value)
            }
            isFirst = false
        }
        position += 1
        return set
    }

    private mutating func classEscape() throws(PatternSyntaxError) -> ScalarSet? {
        position += 1
        if let set = try escapedClass() { return set }
        position -= 1
        return nil
    }

    private mutating func classScalar() throws(PatternSyntaxError) -> Unicode.Scalar {
        guard let scalar = peek() else { throw PatternSyntaxError(reason: "a '[' is not closed") }
        position += 1
        return scalar == "\\" ? try escapedScalar() : scalar
    }

    /// After `[:`.
    private mutating func namedClass() throws(PatternSyntaxError) -> ScalarSet {
        var name = ""
        let isNegated = take("^")
        while let scalar = peek(), scalar != ":" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take(":]"), var set = ScalarSet.named[name] else {
            throw PatternSyntaxError(reason: "there is no character class [:\(name):]")
        }
        set.isNegated = isNegated
        return set
    }
}
