import KafkaProtocol
import NIOCore

/// What a member wants and has, when it joins. A value.
struct Subscription: Equatable, Sendable {
    var topics: [TopicName]
    /// What it keeps during the rebalance; empty for eager assignors.
    var owned: [TopicPartition] = []
    /// The generation in which it got that; -1 for none.
    var generation: Int32 = -1
}

/// The data that consumers of a group exchange through its coordinator, which does not look into it.
///
/// A subscription is written in version 3, with the owned partitions (from version 1 on) and the generation they are of
/// (from 2 on). Java's cooperative assignor, since its members may be older than version 2, also puts the generation
/// into the assignor's own data, four bytes; so do we. librdkafka has other data there and reads only the fields.
enum ConsumerProtocol {
    static let type = "consumer"
    private static let subscriptionVersion: Int16 = 3

    static func bytes(
        of subscription: Subscription, for assignor: PartitionAssignor
    ) throws(KafkaClientError) -> ByteBuffer {
        let owned = Dictionary(grouping: subscription.owned, by: \.topic).sorted { $0.key < $1.key }
        let message = ConsumerProtocolSubscription(
            topics: subscription.topics.map(\.rawValue),
            userData: assignor.isCooperative ? ByteBuffer(integer: subscription.generation) : nil,
            ownedPartitions: owned.map { topic, partitions in
                ConsumerProtocolSubscription.TopicPartition(
                    topic: topic.rawValue, partitions: partitions.map(\.partition.rawValue).sorted())
            },
            generationID: subscription.generation)
        do {
            return try message.versionedBytes(version: subscriptionVersion)
        } catch {
            throw .unencodable(request: "subscription", reason: "\(error)")
        }
    }

    /// A member as its subscription shows it. One that cannot be read counts as a subscription to nothing.
    static func member(_ member: JoinGroupResponse.JoinGroupResponseMember) -> AssignableMember {
        let bytes = member.metadata
        guard let subscription = try? ConsumerProtocolSubscription(versioned: bytes, acceptingNewer: true) else {
            return AssignableMember(id: member.memberID, instanceID: member.groupInstanceID, topics: [])
        }
        let owned = subscription.ownedPartitions.flatMap { entry -> [TopicPartition] in
            guard let topic = try? TopicName(entry.topic) else { return [] }
            return entry.partitions.map { TopicPartition(topic: topic, partition: PartitionIndex($0)) }
        }
        var generation = subscription.generationID
        // Version 1 has no field for it.
        if ConsumerProtocolSubscription.version(of: bytes) == 1, let data = subscription.userData,
            data.readableBytes == MemoryLayout<Int32>.size
        {
            generation = data.getInteger(at: data.readerIndex) ?? -1
        }
        return AssignableMember(
            id: member.memberID, instanceID: member.groupInstanceID,
            topics: Set(subscription.topics.compactMap { try? TopicName($0) }), owned: owned, generation: generation)
    }

    static func assignmentBytes(_ partitions: [TopicPartition]) throws(KafkaClientError) -> ByteBuffer {
        let topics = Dictionary(grouping: partitions, by: \.topic).sorted { $0.key < $1.key }
        let assignment = ConsumerProtocolAssignment(
            assignedPartitions: topics.map { topic, partitions in
                ConsumerProtocolAssignment.TopicPartition(
                    topic: topic.rawValue, partitions: partitions.map(\.partition.rawValue).sorted())
            })
        do {
            return try assignment.versionedBytes(version: 0)
        } catch {
            throw .unencodable(request: "assignment", reason: "\(error)")
        }
    }

    /// A member that gets nothing may get no bytes at all.
    static func partitions(in bytes: ByteBuffer) throws -> [TopicPartition] {
        guard bytes.readableBytes > 0 else { return [] }
        let assignment = try ConsumerProtocolAssignment(versioned: bytes, acceptingNewer: true)
        return try assignment.assignedPartitions.flatMap { entry in
            let topic = try TopicName(entry.topic)
            return entry.partitions.map { TopicPartition(topic: topic, partition: PartitionIndex($0)) }
        }.sorted()
    }
}
