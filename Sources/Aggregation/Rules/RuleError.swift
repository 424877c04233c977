/// What is wrong with a rule: which one, which key, what it says, and what would be right.
public struct RuleError: Error, Hashable, Sendable {
    public let rule: String
    /// As in the rule file: `interval`, `outputs`.
    public let key: String
    public let value: String
    public let reason: String

    public init(rule: String, key: String, value: String, reason: String) {
        self.rule = rule
        self.key = key
        self.value = value
        self.reason = reason
    }
}

extension RuleError: CustomStringConvertible {
    public var description: String {
        "rule '\(rule)', \(key)\(value.isEmpty ? "" : " '\(value)'"): \(reason)"
    }
}
