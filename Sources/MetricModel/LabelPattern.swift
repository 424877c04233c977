internal import Synchronization

/// A compiled regular expression over a whole label value. `.` matches every character, line feeds too.
///
/// Most patterns in practice are a literal, alternatives of literals, or one of those followed by `.*` or `.+`;
/// these are compared as strings, and only the others run the regular expression.
final class LabelPattern: Sendable {
    private enum Shape: Sendable {
        case alternatives([String])
        case prefix(String, restMayBeEmpty: Bool)
        case expression
    }

    private let shape: Shape
    /// Swift's `Regex` is not `Sendable`, so the matchers that share this pattern take turns.
    private let expression: Mutex<Regex<AnyRegexOutput>?>

    init(_ source: String) throws(LabelPatternError) {
        if let shape = Self.plainShape(of: source) {
            self.shape = shape
            expression = Mutex(nil)
            return
        }
        shape = .expression
        do {
            let regex = try Regex(source).dotMatchesNewlines().matchingSemantics(.unicodeScalar)
            expression = Mutex(regex)
        } catch {
            throw LabelPatternError(source: source, reason: "\(error)")
        }
    }

    func matches(_ value: String) -> Bool {
        switch shape {
        case .alternatives(let values):
            return values.contains { $0.hasSameBytes(as: value) }
        case .prefix(let prefix, let restMayBeEmpty):
            guard value.utf8.starts(with: prefix.utf8) else { return false }
            return restMayBeEmpty || value.utf8.count > prefix.utf8.count
        case .expression:
            return expression.withLock { regex in
                guard let regex else { return false }
                return (try? regex.wholeMatch(in: value)) != nil
            }
        }
    }

    /// The only values that match, when the pattern is a literal or alternatives of literals.
    var alternatives: [String]? {
        if case .alternatives(let values) = shape { return values }
        return nil
    }

    private static func plainShape(of source: String) -> Shape? {
        for (suffix, restMayBeEmpty) in [(".*", true), (".+", false)] where source.hasSuffix(suffix) {
            let prefix = String(source.dropLast(suffix.count))
            if isLiteral(prefix) { return .prefix(prefix, restMayBeEmpty: restMayBeEmpty) }
        }
        let parts = source.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        return parts.allSatisfy(isLiteral) ? .alternatives(parts) : nil
    }

    private static func isLiteral(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            byte >= 0x80 || !Array(#"\.+*?()|[]{}^$"#.utf8).contains(byte)
        }
    }
}

/// A text that is no regular expression.
public struct LabelPatternError: Error, Hashable, CustomStringConvertible {
    public let source: String
    public let reason: String

    public var description: String { "'\(source)' is no regular expression: \(reason)" }
}
