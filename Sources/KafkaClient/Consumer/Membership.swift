import KafkaProtocol

/// One member's part in one generation of its group. A value.
struct Membership: Sendable {
    let memberID: String
    let generation: Int32
    /// The member's own partitions, sorted.
    let partitions: [TopicPartition]
    /// The topics the member asked for when it joined.
    let topics: [TopicName]
    /// What the leader divided: partitions of each topic that any member asked for, 0 for one that does not exist.
    /// Nil for the other members.
    let dividedCounts: [TopicName: Int]?

    var isLeader: Bool { dividedCounts != nil }
}

/// Why a generation ends for a member.
enum GenerationEnd: Sendable, Equatable {
    /// The coordinator wants everybody to join again.
    case rebalance
    /// The coordinator does not know the member any more; others may have its partitions already.
    case thrownOut
    /// There are other topics or partitions than when the group was formed.
    case topicsChanged
}
