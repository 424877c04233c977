/// How far a partition has been stored.
public struct SourcePosition: Hashable, Sendable {
    /// Everything before this offset is stored.
    public var nextOffset: Int64
    /// The id of the topic that the offset is of: one that is made anew under the same name has another. Nil where the
    /// source has no such ids.
    public let topicID: String?

    public init(nextOffset: Int64, topicID: String? = nil) {
        self.nextOffset = nextOffset
        self.topicID = topicID == "" ? nil : topicID
    }
}

extension SourcePosition: CustomStringConvertible {
    public var description: String { "offset \(nextOffset)" + (topicID.map { " of topic id \($0)" } ?? "") }
}
