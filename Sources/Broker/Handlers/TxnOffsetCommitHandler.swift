import KafkaProtocol

// TxnOffsetCommit (28): commits a group's offsets as part of a transaction.
//
// - They count once the transaction is committed; until then OffsetFetch tells who asks for stable offsets to wait.
// - The group's partition must have been added to the transaction, or the answer is INVALID_TXN_STATE. From version 3 on
//   member and generation are checked (KIP-447).
enum TxnOffsetCommitHandler: RequestHandler {
    static func handle(_ request: TxnOffsetCommitRequest, _ exchange: Exchange<TxnOffsetCommitResponse>) {
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
            memberID: request.memberID, instanceID: request.groupInstanceID, generation: request.generationID)
        node.groups.commit(
            offsets.accepted, by: caller,
            in: ProducerIdentity(producerID: request.producerID, epoch: request.producerEpoch), group: request.groupID
        ) { [offsets] code in
            exchange.reply(
                TxnOffsetCommitResponse(
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
