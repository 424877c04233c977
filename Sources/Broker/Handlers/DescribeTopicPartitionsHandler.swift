import KafkaProtocol

// DescribeTopicPartitions (75): topics and their partitions, in pieces (KIP-966).
//
// - No topics means all. Topics come by name; a cursor says where the next piece begins, which a cluster with many
//   partitions needs.
// - This broker leads everything, so there are no eligible replicas to tell apart.
enum DescribeTopicPartitionsHandler: RequestHandler {
    private typealias Described = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic
    private static let maximumPartitions = 2_000

    static func handle(
        _ request: DescribeTopicPartitionsRequest, _ exchange: Exchange<DescribeTopicPartitionsResponse>
    ) {
        let node = exchange.context.node
        let all = node.catalog.allTopics.map(\.name.rawValue)
        let names = request.topics.isEmpty ? all : Set(request.topics.map(\.name)).sorted()
        var room = max(1, min(Int(request.responsePartitionLimit), self.maximumPartitions))
        var response = DescribeTopicPartitionsResponse()
        for name in names where name >= request.cursor?.topicName ?? "" {
            let from = request.cursor.flatMap { $0.topicName == name ? max(0, $0.partitionIndex) : nil } ?? 0
            guard room > 0 else {
                response.nextCursor = .init(topicName: name, partitionIndex: from)
                break
            }
            guard let topic = node.catalog.topic(name) else {
                let isValid = (try? node.catalog.validName(name)) != nil
                response.topics.append(
                    .init(errorCode: isValid ? .unknownTopicOrPartition : .invalidTopicException, name: name))
                room -= 1
                continue
            }
            let partitions = topic.partitions.dropFirst(Int(from)).prefix(room)
            response.topics.append(self.describe(topic, partitions, node.configuration.nodeID))
            room -= partitions.count
            if partitions.endIndex < topic.partitions.endIndex {
                response.nextCursor = .init(topicName: name, partitionIndex: Int32(partitions.endIndex))
                break
            }
        }
        exchange.reply(response)
    }

    private static func describe(_ topic: Topic, _ partitions: ArraySlice<Partition>, _ nodeID: Int32) -> Described {
        Described(
            name: topic.name.rawValue, topicID: topic.id, isInternal: topic.isInternal,
            partitions: partitions.map {
                .init(
                    partitionIndex: $0.index, leaderID: nodeID, leaderEpoch: $0.leaderEpoch, replicaNodes: [nodeID],
                    isrNodes: [nodeID])
            })
    }
}
