import KafkaProtocol

// OffsetDelete (47): forgets single committed offsets of a group (KIP-496).
//
// - Offsets of topics that a member subscribes to are answered GROUP_SUBSCRIBED_TO_TOPIC; a group with members that are
//   no consumers is answered NON_EMPTY_GROUP, an unknown one GROUP_ID_NOT_FOUND.
// - Deleting what was never committed is no error, as in Kafka; a partition that does not exist is
//   UNKNOWN_TOPIC_OR_PARTITION.
// - Answered when the deletion is as durable as an append with acks=all.
enum OffsetDeleteHandler: RequestHandler {
    static func handle(_ request: OffsetDeleteRequest, _ exchange: Exchange<OffsetDeleteResponse>) {
        let node = exchange.context.node
        var known: [PartitionName] = []
        for topic in request.topics {
            for partition in topic.partitions where node.catalog.partition(topic.name, partition.partitionIndex) != nil
            {
                known.append(PartitionName(topic: topic.name, partition: partition.partitionIndex))
            }
        }
        node.groups.deleteOffsets(known, group: request.groupID) { code, subscribed in
            guard code == .none else { return exchange.reply(OffsetDeleteResponse(errorCode: code)) }
            exchange.reply(
                OffsetDeleteResponse(
                    topics: request.topics.map { topic in
                        .init(
                            name: topic.name,
                            partitions: topic.partitions.map { partition in
                                let exists = node.catalog.partition(topic.name, partition.partitionIndex) != nil
                                let code: ErrorCode =
                                    !exists
                                    ? .unknownTopicOrPartition
                                    : subscribed.contains(topic.name) ? .groupSubscribedToTopic : .none
                                return .init(partitionIndex: partition.partitionIndex, errorCode: code)
                            })
                    }))
        }
    }
}
