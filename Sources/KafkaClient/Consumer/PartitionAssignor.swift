import KafkaProtocol

/// A way to spread partitions over the members of a group; Kafka's, so that members with other clients agree.
public struct PartitionAssignor: Sendable {
    /// Kafka's name for it, by which the members of a group choose a common one.
    public let name: String
    let assign: @Sendable (_ members: [AssignableMember], _ partitions: [TopicName: [PartitionIndex]]) -> Assignments
}

/// Each member's partitions, by member id.
typealias Assignments = [String: [TopicPartition]]

/// A member of a group as the assignor sees it: its id and the topics it wants.
struct AssignableMember: Equatable, Sendable {
    let id: String
    let topics: Set<TopicName>
}

extension PartitionAssignor {
    /// Topic by topic, each member gets a run of neighbouring partitions, the first members one more if they do not
    /// divide evenly. Partitions of the same number in different topics go to the same member.
    public static let range = PartitionAssignor(name: "range") { members, partitions in
        var assignments = empty(members)
        for (topic, indexes) in partitions.sorted(by: { $0.key < $1.key }) {
            let interested = members.filter { $0.topics.contains(topic) }.sorted { $0.id < $1.id }
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
    public static let roundRobin = PartitionAssignor(name: "roundrobin") { members, partitions in
        var assignments = empty(members)
        let sorted = members.sorted { $0.id < $1.id }
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

    /// Everybody is in the answer, also those who get nothing.
    private static func empty(_ members: [AssignableMember]) -> Assignments {
        Dictionary(members.map { ($0.id, []) }, uniquingKeysWith: { first, _ in first })
    }
}
