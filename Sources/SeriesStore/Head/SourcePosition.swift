/// How far a partition has been stored.
public struct SourcePosition: Hashable, Sendable {
    /// Everything before this offset is stored.
    public let nextOffset: Int64
    /// The id of the topic that the offset is of: one that is made anew under the same name has another. Nil where the
    /// source has no such ids.
    public let topicID: String?

    /// The checksum of the record batch whose last record is the one before `nextOffset`, by which other records at the same
    /// offsets are noticed. Nil where it is not known.
    public let checksum: UInt32?

    public init(nextOffset: Int64, topicID: String? = nil, checksum: UInt32? = nil) {
        self.nextOffset = nextOffset
        self.topicID = topicID == "" ? nil : topicID
        self.checksum = checksum
    }
}

extension SourcePosition: CustomStringConvertible {
    public var description: String { "offset \(nextOffset)" + (topicID.map { " of topic id \($0)" } ?? "") }
}
