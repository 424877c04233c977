/// One condition on a label: equal, not equal, matches a regular expression, does not match it.
///
/// A series without the label behaves as if its value were empty. Regular expressions match the whole value.
public struct LabelMatcher: Sendable {
    /// How the label's value is compared, written as in PromQL.
    public enum Operation: String, Hashable, Sendable, CaseIterable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case notMatches = "!~"
    }

    public let name: String
    public let operation: Operation
    /// The text to equal, or the regular expression's source.
    public let value: String
    private let pattern: LabelPattern?

    /// Throws when `value` has to be a regular expression and is none.
    public init(_ name: String, _ operation: Operation, _ value: String) throws(LabelPatternError) {
        self.name = name
        self.operation = operation
        self.value = value
        switch operation {
        case .equal, .notEqual: pattern = nil
        case .matches, .notMatches: pattern = try LabelPattern(value)
        }
    }

    /// The condition that a label equals a value.
    public init(_ name: String, equals value: String) {
        self.name = name
        self.operation = .equal
        self.value = value
        pattern = nil
    }

    public func matches(_ labels: Labels) -> Bool {
        matches(value: labels[name] ?? "")
    }

    /// Whether a label with this value meets the condition; an absent label has the empty value.
    public func matches(value candidate: String) -> Bool {
        switch operation {
        case .equal: candidate.hasSameBytes(as: value)
        case .notEqual: !candidate.hasSameBytes(as: value)
        case .matches: pattern?.matches(candidate) ?? false
        case .notMatches: !(pattern?.matches(candidate) ?? false)
        }
    }

    /// Whether a series without this label meets the condition.
    public var matchesEmpty: Bool { matches(value: "") }

    /// When only a few values can meet the condition (`=`, or `=~` with plain alternatives), those values.
    public var onlyValues: [String]? {
        switch operation {
        case .equal: [value]
        case .matches: pattern?.alternatives
        case .notEqual, .notMatches: nil
        }
    }
}

extension LabelMatcher: Hashable {
    public static func == (left: LabelMatcher, right: LabelMatcher) -> Bool {
        left.operation == right.operation && left.name.hasSameBytes(as: right.name)
            && left.value.hasSameBytes(as: right.value)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(operation)
        hasher.combine(value)
    }
}

extension LabelMatcher: CustomStringConvertible {
    public var description: String {
        var writer = TextFormat.Writer()
        writer.append(labelName: name)
        writer.append(text: operation.rawValue)
        writer.append(quoted: value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
