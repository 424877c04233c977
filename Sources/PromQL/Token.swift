/// One word or sign of a query.
struct Token: Equatable {
    enum Kind: Equatable {
        /// Letters, digits and underscores, the first no digit.
        case identifier
        /// An identifier with colons: a metric's name only.
        case metricIdentifier
        /// A quoted text; the token holds what it means.
        case string
        case number
        case duration
        case leftBrace, rightBrace, leftBracket, rightBracket, leftParenthesis, rightParenthesis
        case comma
        case equal, notEqual, matches, notMatches
        /// After the last token.
        case end
    }

    let kind: Kind
    /// Where it stands, in bytes of the query's UTF-8.
    let range: Range<Int>
    /// As written, but for strings, which are unquoted.
    let text: String

    /// How an error names the token.
    var quoted: String {
        switch kind {
        case .end: "end of query"
        case .string: "string \"\(text)\""
        default: "\"\(text)\""
        }
    }
}
