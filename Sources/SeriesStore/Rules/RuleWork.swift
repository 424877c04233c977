internal import Aggregation

/// Windows of one rule that have to be evaluated now, the oldest first. From `SeriesWriter.dueWindows`, for a
/// `RuleEvaluator`.
public struct RuleWork: Sendable {
    /// The place of the rule among the writer's.
    let rule: Int
    let due: [DueWindow]
}

/// The result of one window, to be stored.
struct EvaluatedWindow: Sendable {
    /// The place of the rule among the writer's.
    let rule: Int
    let due: DueWindow
    /// Of all groups' results.
    let digest: UInt64
    /// What is emitted if the result is a new one: the groups whose results differ from the last ones, or all.
    let records: [RuleRecord]
}

/// What is emitted for one group in one window.
struct RuleRecord: Sendable {
    /// What the group is called, as the text of a series.
    let key: String
    /// Its results, as Prometheus text.
    let value: String
}
