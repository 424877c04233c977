internal import MetricModel

/// Reads tokens by recursive descent with one token of look-ahead. Grammar so far:
///
///     selector = name [ "{" matchers "}" ] | "{" matchers "}"
///     matchers = [ matcher { "," matcher } [ "," ] ]
///     matcher  = label ( "=" | "!=" | "=~" | "!~" ) string | string     (a string alone is the metric's name)
///     label    = identifier | string
struct Parser {
    private var lexer: Lexer
    private var token: Token

    init(_ query: String) throws(PromQLError) {
        lexer = Lexer(query)
        token = try lexer.next()
    }

    /// A selector and nothing after it.
    mutating func parseWholeSelector() throws(PromQLError) -> VectorSelector {
        let selector = try parseSelector()
        guard token.kind == .end else { throw unexpected("the end of the selector") }
        return selector
    }

    private mutating func parseSelector() throws(PromQLError) -> VectorSelector {
        let start = token.range.lowerBound
        var name: Token?
        var matchers: [LabelMatcher] = []
        if token.kind == .identifier || token.kind == .metricIdentifier {
            name = try advance()
        } else if token.kind != .leftBrace {
            throw unexpected("a metric name or \"{\"")
        }
        var end = name?.range.upperBound ?? start
        if token.kind == .leftBrace {
            try parseMatchers(into: &matchers, name: &name)
            end = try advance().range.upperBound
        }
        if let name { matchers.insert(LabelMatcher(Label.metricName, equals: name.text), at: 0) }
        guard matchers.contains(where: { !$0.matchesEmpty }) else {
            throw lexer.error(
                "a vector selector must contain at least one non-empty matcher; name a metric or a label's value",
                at: start..<end)
        }
        return VectorSelector(matchers: matchers)
    }

    /// From the opening brace up to the closing one, which is the current token afterwards.
    private mutating func parseMatchers(
        into matchers: inout [LabelMatcher], name: inout Token?
    ) throws(PromQLError) {
        try advance()
        while token.kind != .rightBrace {
            try parseMatcher(into: &matchers, name: &name)
            if token.kind == .comma {
                try advance()
            } else if token.kind != .rightBrace {
                throw unexpected("\",\" or \"}\" after a label matcher")
            }
        }
    }

    private mutating func parseMatcher(into matchers: inout [LabelMatcher], name: inout Token?) throws(PromQLError) {
        guard token.kind == .identifier || token.kind == .string else {
            throw unexpected(
                token.kind == .metricIdentifier
                    ? "a label name without \":\", or in quotes" : "a label name or \"}\"")
        }
        let label = try advance()
        guard let operation = LabelMatcher.Operation(token.kind) else {
            // A quoted text alone is the metric's name.
            guard label.kind == .string, token.kind == .comma || token.kind == .rightBrace else {
                throw unexpected("=, !=, =~ or !~ after label '\(label.text)'")
            }
            if let name { throw nameGivenTwice(name.text, label) }
            name = label
            return
        }
        try advance()
        guard token.kind == .string else {
            throw unexpected("a quoted value after \(label.text)\(operation.rawValue)")
        }
        if label.text == Label.metricName, let name { throw nameGivenTwice(name.text, token) }
        let value = try advance()
        do throws(LabelPatternError) {
            matchers.append(try LabelMatcher(label.text, operation, value.text))
        } catch {
            throw lexer.error("\(error)", at: value.range)
        }
    }

    private func nameGivenTwice(_ name: String, _ second: Token) -> PromQLError {
        lexer.error("the metric name must not be set twice: '\(name)' or '\(second.text)'", at: second.range)
    }

    @discardableResult
    private mutating func advance() throws(PromQLError) -> Token {
        let passed = token
        token = try lexer.next()
        return passed
    }

    private func unexpected(_ expected: String) -> PromQLError {
        lexer.error("unexpected \(token.quoted), expected \(expected)", at: token.range)
    }
}

extension LabelMatcher.Operation {
    fileprivate init?(_ kind: Token.Kind) {
        switch kind {
        case .equal: self = .equal
        case .notEqual: self = .notEqual
        case .matches: self = .matches
        case .notMatches: self = .notMatches
        default: return nil
        }
    }
}
