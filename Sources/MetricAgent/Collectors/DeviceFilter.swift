import MetricModel

/// Tells which devices or mount points to leave out, by a regular expression over the whole name. It remembers its
/// answers, since the same few names come at every interval.
struct DeviceFilter: Sendable {
    private let excluded: LabelMatcher
    private var answers: [String: Bool] = [:]

    /// Names come and go with containers; beyond this many the answers are forgotten.
    private static let maximumAnswers = 4096

    init(excluding pattern: String) {
        do {
            excluded = try LabelMatcher("device", .matches, pattern)
        } catch {
            preconditionFailure("a built-in pattern is wrong: \(error)")
        }
    }

    mutating func excludes(_ name: String) -> Bool {
        if let answer = answers[name] { return answer }
        if answers.count >= Self.maximumAnswers { answers.removeAll() }
        let answer = excluded.matches(value: name)
        answers[name] = answer
        return answer
    }
}
