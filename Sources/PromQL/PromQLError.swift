/// A query that cannot be understood: what is wrong and where.
public struct PromQLError: Error, Hashable, Sendable {
    /// The whole query.
    public let query: String
    /// Where the trouble stands, in bytes of the query's UTF-8. Empty at the query's end.
    public let range: Range<Int>
    /// What was found and what was expected, in one line.
    public let message: String

    /// The line of the trouble, from 1.
    public var line: Int { place.line }
    /// The column of the trouble in characters, from 1.
    public var column: Int { place.column }

    private var place: (line: Int, column: Int, text: Substring) {
        let utf8 = query.utf8
        let index = utf8.index(utf8.startIndex, offsetBy: range.lowerBound, limitedBy: utf8.endIndex) ?? utf8.endIndex
        let lineStart = query[..<index].lastIndex(of: "\n").map { query.index(after: $0) } ?? query.startIndex
        let lineEnd = query[lineStart...].firstIndex(of: "\n") ?? query.endIndex
        let line = query[..<lineStart].count { $0 == "\n" } + 1
        return (line, query[lineStart..<index].count + 1, query[lineStart..<lineEnd])
    }
}

extension PromQLError: CustomStringConvertible {
    /// The message, the line it is about, and carets below the trouble:
    ///
    ///     1:10: unexpected "}", expected =, !=, =~ or !~ after label 'mode'
    ///     cpu{mode}
    ///             ^
    public var description: String {
        let place = place
        // Tabs stay tabs, so that the caret stands below the trouble at any tab width.
        let indent = String(place.text.prefix(place.column - 1).map { $0 == "\t" ? "\t" : " " })
        let troubled = String(decoding: Array(query.utf8)[range], as: UTF8.self).prefix { $0 != "\n" }
        let carets = String(repeating: "^", count: max(1, troubled.count))
        return "\(place.line):\(place.column): \(message)\n\(place.text)\n\(indent)\(carets)"
    }
}
