import KafkaProtocol

// OffsetCommit (8): stores how far a group has come.
//
// - In `__consumer_offsets`, in Kafka's record format; answered when it is as durable as an append with acks=all.
// - Version 0 stored offsets in ZooKeeper; here all versions store them in the same place.
// - A generation below 0 comes from a client outside the group protocol and is accepted while the group is empty.
// - Retention times of versions 2–4 are ignored: the broker's own applies once a group has no members.
enum OffsetCommitHandler: RequestHandler {
    static func handle(_ request: OffsetCommitRequest, _ exchange: Exchange<OffsetCommitResponse>) {
        let node = exchange.context.node
        let now = node.clock.wallMilliseconds()
        var offsets = OffsetsToCommit()
        for topic in request.topics {
            for partition in topic.partitions {
                offsets.take(
                    PartitionName(topic: topic.name, partition: partition.partitionIndex),
                    offset: partition.committedOffset, leaderEpoch: partition.committedLeaderEpoch,
                    metadata: partition.committedMetadata, at: now, node)
            }
        }
        let caller = GroupCaller(
            memberID: request.memberID, instanceID: request.groupInstanceID,
            generation: request.generationIdOrMemberEpoch)
        node.groups.commit(offsets.accepted, by: caller, group: request.groupID) { [offsets] code in
            exchange.reply(
                OffsetCommitResponse(
                    topics: request.topics.map { topic in
                        .init(
                            name: topic.name,
                            partitions: topic.partitions.map {
                                let name = PartitionName(topic: topic.name, partition: $0.partitionIndex)
                                return .init(
                                    partitionIndex: $0.partitionIndex, errorCode: offsets.code(for: name, after: code))
                            })
                    }))
        }
    }
}
