import KafkaProtocol

/// One setting that a topic may have: its name, what values are allowed, and what it does here. A value.
struct TopicSetting: Sendable {
    /// The values that are allowed; Kafka's rules.
    enum Rule: Sendable {
        case int(ClosedRange<Int64>)
        case long(ClosedRange<Int64>)
        case double(ClosedRange<Double>)
        case boolean
        case oneOf([String])
        /// A list separated by commas, of these.
        case list([String])
    }

    /// When a change takes effect.
    enum Effect: Sendable {
        case atOnce
        /// The value is kept and answered; the broker does not act on it, for the reason that is given.
        case keptOnly(because: String)
    }

    let name: String
    let defaultValue: String
    let rule: Rule
    let effect: Effect
    let documentation: String

    /// - Returns: the value as it is kept.
    /// - Throws: why the value is not allowed, in words like Kafka's.
    func validated(_ value: String) throws(TopicRefusal) -> String {
        func refuse(_ reason: String) -> TopicRefusal {
            TopicRefusal(.invalidConfig, "Invalid value \(value) for configuration \(self.name): \(reason)")
        }
        let text = value.trimmed
        switch self.rule {
        case .int(let range), .long(let range):
            guard let number = Int64(text) else { throw refuse("it is no whole number") }
            guard range.contains(number) else { throw refuse("it must be \(Self.words(range))") }
        case .double(let range):
            guard let number = Double(text), number.isFinite else { throw refuse("it is no number") }
            guard range.contains(number) else {
                throw refuse("it must be from \(range.lowerBound) to \(range.upperBound)")
            }
        case .boolean:
            guard ["true", "false"].contains(text.lowercased()) else { throw refuse("it must be true or false") }
            return text.lowercased()
        case .oneOf(let choices):
            guard choices.contains(text) else { throw refuse("it must be one of \(choices.joined(separator: ", "))") }
        case .list(let choices):
            let items = Self.items(text)
            guard !items.isEmpty, items.allSatisfy(choices.contains), Set(items).count == items.count else {
                throw refuse("it must be a list of \(choices.joined(separator: ", "))")
            }
            return items.joined(separator: ",")
        }
        return text
    }

    static func items(_ list: String) -> [String] {
        list.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
    }

    private static func words(_ range: ClosedRange<Int64>) -> String {
        switch range.upperBound {
        case .max, Int64(Int32.max): "at least \(range.lowerBound)"
        default: "from \(range.lowerBound) to \(range.upperBound)"
        }
    }

    var isList: Bool {
        if case .list = self.rule { true } else { false }
    }

    var type: ConfigType {
        switch self.rule {
        case .int: .int
        case .long: .long
        case .double: .double
        case .boolean: .boolean
        case .oneOf: .string
        case .list: .list
        }
    }

    /// What DescribeConfigs says about it; honest about what has no effect here.
    var description: String {
        switch self.effect {
        case .atOnce: self.documentation
        case .keptOnly(let reason):
            self.documentation + " This broker keeps the value but does not act on it: \(reason)."
        }
    }
}

extension String {
    /// Without spaces around it.
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
