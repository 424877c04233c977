import KafkaProtocol

// CreatePartitions (37): gives topics more partitions.
//
// - The count is the new total and must be larger than the present one; partitions cannot be taken away.
// - An assignment by hand names this broker for each new partition. `validateOnly` checks without changing.
// - `__consumer_offsets` keeps its partitions, since a group's records are found by their number.
// - Runs on the thread pool, as it writes the disk; the answer comes when the partitions are there.
enum CreatePartitionsHandler: RequestHandler {
    static func handle(_ request: CreatePartitionsRequest, _ exchange: Exchange<CreatePartitionsResponse>) {
        let node = exchange.context.node
        node.onPool {
            var seen: [String: Int] = [:]
            for topic in request.topics { seen[topic.name, default: 0] += 1 }
            let results = request.topics.map { topic -> CreatePartitionsResponse.CreatePartitionsTopicResult in
                do throws(TopicRefusal) {
                    guard seen[topic.name] == 1 else {
                        throw TopicRefusal(.invalidRequest, "the request names this topic more than once")
                    }
                    try self.extend(topic, validateOnly: request.validateOnly, node)
                    return .init(name: topic.name)
                } catch {
                    return .init(name: topic.name, errorCode: error.code, errorMessage: error.reason)
                }
            }
            exchange.reply(CreatePartitionsResponse(results: results))
        }
    }

    private static func extend(
        _ wanted: CreatePartitionsRequest.CreatePartitionsTopic, validateOnly: Bool, _ node: BrokerNode
    ) throws(TopicRefusal) {
        let topic = try node.catalog.existingTopic(wanted.name)
        if let assignments = wanted.assignments {
            let nodeID = node.configuration.nodeID
            guard assignments.count == Int(wanted.count) - topic.partitions.count,
                assignments.allSatisfy({ $0.brokerIDs == [nodeID] })
            else {
                throw TopicRefusal(
                    .invalidReplicaAssignment, "an assignment names broker \(nodeID) for each new partition")
            }
        }
        try node.catalog.extend(wanted.name, to: Int(wanted.count), validateOnly: validateOnly)
    }
}
