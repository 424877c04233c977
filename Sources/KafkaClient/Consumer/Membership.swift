import KafkaProtocol

/// One member's part in one generation of its group. A value.
struct Membership: Sendable {
    let memberID: String
    let generation: Int32
    /// The member's own partitions, sorted.
    let partitions: [TopicPartition]
    /// What the member wanted when it joined, and the topics that were.
    let selection: TopicSelection
    let topics: [TopicName]
    /// Whether this member has divided the partitions among all.
    let isLeader: Bool
    /// How many partitions each topic had, 0 for one that did not exist: of the leader, those that any member asked for, as
    /// it divided them; of another, its own.
    let partitionCounts: [TopicName: Int]
}

/// Why a generation ends for a member.
enum GenerationEnd: Sendable, Equatable {
    /// The coordinator wants everybody to join again.
    case rebalance
    /// The coordinator does not know the member or its generation any more; others may have its partitions already.
    case thrownOut
    /// There are other topics or partitions than when the group was formed, or the member wants others.
    case topicsChanged
    /// The member has given up partitions that others are to have, which the next rebalance does.
    case partitionsGivenUp
}

/// How a consumer is known in its group at the moment: what a transaction that commits the group's offsets has to tell,
/// so that a member that was thrown out meanwhile is refused (KIP-447). A value.
public struct GroupMetadata: Sendable, Equatable {
    /// The consumer group's id.
    public var group: String
    /// The generation of the assignment; -1 for a consumer that assigns partitions to itself.
    public var generation: Int32
    /// Given by the coordinator; empty if the consumer is no member.
    public var memberID: String
    /// A static member's own id.
    public var instanceID: String?

    public init(group: String, generation: Int32 = -1, memberID: String = "", instanceID: String? = nil) {
        self.group = group
        self.generation = generation
        self.memberID = memberID
        self.instanceID = instanceID
    }
}
