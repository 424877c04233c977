/// What a regular expression consists of, without what only matters for where a match lies (groups, greediness): whole
/// values either match or do not.
indirect enum PatternNode: Equatable, Sendable {
    case empty
    case scalar(ScalarSet)
    case assertion(PatternAssertion)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    case repetition(PatternNode, minimum: Int, maximum: Int?)

    /// The only values that match, if there are no more than `limit`; nil if there are, or nobody can say.
    func values(limit: Int) -> [String]? {
        switch self {
        case .empty:
            return [""]
        case .scalar(let set):
            return set.members(limit: limit)?.map { String($0) }
        case .assertion, .repetition:
            return nil
        case .sequence(let parts):
            var values = [""]
            for part in parts {
                guard let next = part.values(limit: limit), next.count * values.count <= limit else { return nil }
                values = values.flatMap { start in next.map { start + $0 } }
            }
            return values
        case .alternatives(let parts):
            var values: [String] = []
            for part in parts {
                guard let next = part.values(limit: limit), next.count + values.count <= limit else { return nil }
                values += next
            }
            return values
        }
    }
}

/// A condition on a place between two characters.
enum PatternAssertion: Equatable, Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary

    func holds(between before: Unicode.Scalar?, and after: Unicode.Scalar?) -> Bool {
        switch self {
        case .textStart: before == nil
        case .textEnd: after == nil
        case .lineStart: before == nil || before == "\n"
        case .lineEnd: after == nil || after == "\n"
        case .wordBoundary: Self.isWord(before) != Self.isWord(after)
        case .noWordBoundary: Self.isWord(before) == Self.isWord(after)
        }
    }

    private static func isWord(_ scalar: Unicode.Scalar?) -> Bool {
        scalar.map { ScalarSet.word.contains($0) } ?? false
    }
}
