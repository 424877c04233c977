import KafkaProtocol

/// A way to spread partitions over the members of a group; Kafka's, so that members with other clients agree.
///
/// Only the member that leads the group uses it, so what it gives to whom need not be what another client's would; what
/// members tell it of themselves has Kafka's form (``ConsumerProtocol``).
public struct PartitionAssignor: Sendable {
    /// Kafka's name for it, by which the members of a group choose a common one.
    public let name: String
    /// Whether members keep what they have while the group rebalances (KIP-429). Such an assignor gives a partition that
    /// goes from one member to another to nobody, until the one has given it up.
    public let isCooperative: Bool
    let assign: @Sendable (_ members: [AssignableMember], _ partitions: [TopicName: [PartitionIndex]]) -> Assignments
}

/// Each member's partitions, by member id.
typealias Assignments = [String: [TopicPartition]]

/// A member of a group as the assignor sees it. A value.
struct AssignableMember: Equatable, Sendable {
    let id: String
    /// A static member's own id, which lasts longer than `id`.
    var instanceID: String?
    /// The topics it wants.
    let topics: Set<TopicName>
    /// What it says it has.
    var owned: [TopicPartition] = []
    /// The generation in which it got that; -1 if it does not say.
    var generation: Int32 = -1

    /// Static members first, by the id that lasts, so that they get the same partitions after a restart.
    static func isBefore(_ one: AssignableMember, _ other: AssignableMember) -> Bool {
        switch (one.instanceID, other.instanceID) {
        case (let one?, let other?) where one != other: one < other
        case (_?, nil): true
        case (nil, _?): false
        default: one.id < other.id
        }
    }
}

extension PartitionAssignor {
    /// Topic by topic, each member gets a run of neighbouring partitions, the first members one more if they do not
    /// divide evenly. Partitions of the same number in different topics go to the same member.
    public static let range = PartitionAssignor(name: "range", isCooperative: false) { members, partitions in
        var assignments = empty(members)
        let sorted = members.sorted(by: AssignableMember.isBefore)
        for (topic, indexes) in partitions.sorted(by: { $0.key < $1.key }) {
            let interested = sorted.filter { $0.topics.contains(topic) }
            guard !interested.isEmpty else { continue }
            let (share, rest) = indexes.count.quotientAndRemainder(dividingBy: interested.count)
            var next = 0
            for (position, member) in interested.enumerated() {
                let count = share + (position < rest ? 1 : 0)
                for index in indexes[next..<next + count] {
                    assignments[member.id]?.append(TopicPartition(topic: topic, partition: index))
                }
                next += count
            }
        }
        return assignments
    }

    /// All partitions of all topics are dealt out one by one, each to the next member that wants its topic.
    public static let roundRobin = PartitionAssignor(name: "roundrobin", isCooperative: false) { members, partitions in
        var assignments = empty(members)
        let sorted = members.sorted(by: AssignableMember.isBefore)
        guard !sorted.isEmpty else { return assignments }
        var position = 0
        for (topic, indexes) in partitions.sorted(by: { $0.key < $1.key }) {
            guard sorted.contains(where: { $0.topics.contains(topic) }) else { continue }
            for index in indexes {
                while !sorted[position].topics.contains(topic) { position = (position + 1) % sorted.count }
                assignments[sorted[position].id]?.append(TopicPartition(topic: topic, partition: index))
                position = (position + 1) % sorted.count
            }
        }
        return assignments
    }

    /// Every member keeps what it has as far as the shares stay as even as can be, and a partition changes hands in two
    /// rebalances: in the first its owner gives it up, in the second another member gets it (KIP-429).
    public static let cooperativeSticky = PartitionAssignor(
        name: "cooperative-sticky", isCooperative: true
    ) { members, partitions in
        var sharing = StickySharing(members, partitions)
        sharing.dealOut()
        sharing.even()
        return sharing.withheld()
    }

    /// All of them, the preferred first.
    public static let all: [PartitionAssignor] = [.cooperativeSticky, .range, .roundRobin]

    /// Everybody is in the answer, also those who get nothing.
    private static func empty(_ members: [AssignableMember]) -> Assignments {
        Dictionary(members.map { ($0.id, []) }, uniquingKeysWith: { first, _ in first })
    }
}
