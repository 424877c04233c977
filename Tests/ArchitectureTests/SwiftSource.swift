/// What the tests read from Swift source without a parser: its imports, and its code without comments and strings.
enum SwiftSource {
    /// The modules imported, whatever stands before `import`.
    static func imports(in text: String) -> Set<String> {
        let pattern =
            /^\s*(?:(?:@\w+(?:\([^)]*\))?|public|package|internal|fileprivate|private)\s+)*import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
            .anchorsMatchLineEndings()
        return Set(text.matches(of: pattern).map { String($0.1) })
    }

    /// The source with its comments and the contents of its strings taken out. Knows line comments, nested block
    /// comments, and one-line and multi-line strings; interpolations go with their string.
    static func code(in text: String) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            if rest.starts(with: Array("//".utf8)) {
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            } else if rest.starts(with: Array("/*".utf8)) {
                rest = afterBlockComment(rest)
            } else if rest.starts(with: Array("\"\"\"".utf8)) {
                rest = afterString(rest.dropFirst(3), closing: Array("\"\"\"".utf8))
                result += Array("\"\"".utf8)
            } else if byte == UInt8(ascii: "\"") {
                rest = afterString(rest.dropFirst(), closing: [UInt8(ascii: "\"")])
                result += Array("\"\"".utf8)
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func afterBlockComment(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = text.dropFirst(2)
        var depth = 1
        while depth > 0, !rest.isEmpty {
            if rest.starts(with: Array("/*".utf8)) {
                depth += 1
                rest = rest.dropFirst(2)
            } else if rest.starts(with: Array("*/".utf8)) {
                depth -= 1
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
            }
        }
        return rest
    }

    private static func afterString(_ text: ArraySlice<UInt8>, closing: [UInt8]) -> ArraySlice<UInt8> {
        var rest = text
        while !rest.isEmpty, !rest.starts(with: closing) {
            rest = rest.dropFirst(rest.first == UInt8(ascii: "\\") ? 2 : 1)
        }
        return rest.dropFirst(closing.count)
    }
}
