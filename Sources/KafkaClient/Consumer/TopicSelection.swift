public import KafkaProtocol

/// The topics a consumer reads.
public enum TopicSelection: Sendable, Equatable {
    /// These, once they exist.
    case named([TopicName])
    /// Those whose whole name matches the regular expression, also ones created later, but none of `excluding` and
    /// none that the cluster made for itself.
    case pattern(String, excluding: Set<String> = [])
    /// All that any of these selects.
    case anyOf([TopicSelection])
}

extension TopicSelection {
    /// - Throws: `KafkaClientError.invalidPattern`.
    func validate() throws(KafkaClientError) {
        switch self {
        case .named:
            return
        case .pattern(let text, _):
            do {
                _ = try Regex(text)
            } catch {
                throw .invalidPattern(text, reason: "\(error)")
            }
        case .anyOf(let selections):
            for selection in selections { try selection.validate() }
        }
    }

    /// Whether all topics of the cluster have to be known.
    var hasPattern: Bool {
        switch self {
        case .named: false
        case .pattern: true
        case .anyOf(let selections): selections.contains(where: \.hasPattern)
        }
    }

    /// Which of the cluster's topics are selected, sorted.
    func selected(from topics: some Sequence<TopicDescription>) -> [TopicName] {
        switch self {
        case .named(let names):
            return Set(names).sorted()
        case .pattern(let text, let excluded):
            // Validated when the consumer was made. Made anew each time, as a Regex must not cross tasks.
            guard let regex = try? Regex(text) else { return [] }
            return topics.filter { topic in
                guard !topic.isInternal, !excluded.contains(topic.name.rawValue) else { return false }
                return (try? regex.wholeMatch(in: topic.name.rawValue)) != nil
            }.map(\.name).sorted()
        case .anyOf(let selections):
            let topics = Array(topics)
            return selections.reduce(into: Set<TopicName>()) { $0.formUnion($1.selected(from: topics)) }.sorted()
        }
    }
}
