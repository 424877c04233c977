/// A compiled regular expression over a whole label value, in RE2's syntax. `.` matches every character, line feeds too,
/// as in Prometheus since version 3. A value; matching takes time in proportion to the value's length.
///
/// Most patterns in practice are alternatives of literals, or a literal followed by `.*` or `.+`; these are compared as
/// strings, and only the others run the ``PatternProgram``.
struct LabelPattern: Sendable {
    private enum Shape: Sendable {
        case alternatives([String])
        case prefix(String, restMayBeEmpty: Bool)
        case program(PatternProgram)
    }

    /// Beyond this many values an expression is not spelled out.
    private static let maximumAlternatives = 128

    private let shape: Shape

    init(_ source: String) throws(LabelPatternError) {
        do throws(PatternSyntaxError) {
            let node = try PatternParser.parse(source)
            if let plain = Self.plainShape(of: node) {
                shape = plain
            } else {
                shape = .program(try PatternProgram(node))
            }
        } catch {
            throw LabelPatternError(source: source, reason: error.reason)
        }
    }

    func matches(_ value: String) -> Bool {
        switch shape {
        case .alternatives(let values):
            return values.contains { $0.hasSameBytes(as: value) }
        case .prefix(let prefix, let restMayBeEmpty):
            guard value.utf8.starts(with: prefix.utf8) else { return false }
            return restMayBeEmpty || value.utf8.count > prefix.utf8.count
        case .program(let program):
            return program.matches(value)
        }
    }

    /// The only values that match, when they are few.
    var alternatives: [String]? {
        if case .alternatives(let values) = shape { return values }
        return nil
    }

    private static func plainShape(of node: PatternNode) -> Shape? {
        if let values = node.values(limit: maximumAlternatives) { return .alternatives(values) }
        var parts: [PatternNode] = [node]
        if case .sequence(let sequence) = node { parts = sequence }
        guard case .repetition(.scalar(.any), let minimum, nil) = parts.popLast(), minimum <= 1,
            let prefix = PatternNode.sequence(parts).values(limit: 1)?.first
        else { return nil }
        return .prefix(prefix, restMayBeEmpty: minimum == 0)
    }
}

/// A text that is no regular expression.
public struct LabelPatternError: Error, Hashable, CustomStringConvertible {
    public let source: String
    public let reason: String

    public var description: String { "'\(source)' is no regular expression: \(reason)" }
}
