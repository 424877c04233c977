import KafkaProtocol

// CreateTopics (19): creates topics.
//
// - -1 partitions means the broker's default (version 4 and later); replication factor -1 or 1, as there is one
//   broker. A replica assignment by hand must name partitions 0…n-1 on this broker.
// - `validateOnly` (version 1) checks without creating. Topics named twice in a request are refused.
// - Configs are checked by Kafka's rules and kept in the catalogue; a null value stands for the default. All settings are
//   answered (version 5).
// - Runs on the thread pool, as it writes the disk; the answer comes when the topics are there, so `timeoutMs` is
//   not needed.
enum CreateTopicsHandler: RequestHandler {
    static func handle(_ request: CreateTopicsRequest, _ exchange: Exchange<CreateTopicsResponse>) {
        let node = exchange.context.node
        node.onPool {
            var seen: [String: Int] = [:]
            for topic in request.topics { seen[topic.name, default: 0] += 1 }
            var checked = 0
            let results = request.topics.map { topic -> CreateTopicsResponse.CreatableTopicResult in
                do throws(TopicRefusal) {
                    guard seen[topic.name] == 1 else {
                        throw TopicRefusal(.invalidRequest, "the request names this topic more than once")
                    }
                    let result = try self.create(topic, validateOnly: request.validateOnly, checked: checked, node)
                    if request.validateOnly { checked += 1 }
                    return result
                } catch {
                    return .init(name: topic.name, errorCode: error.code, errorMessage: error.reason)
                }
            }
            exchange.reply(CreateTopicsResponse(topics: results))
        }
    }

    /// - Parameter checked: topics of the request that are found good but not created.
    private static func create(
        _ topic: CreateTopicsRequest.CreatableTopic, validateOnly: Bool, checked: Int, _ node: BrokerNode
    ) throws(TopicRefusal) -> CreateTopicsResponse.CreatableTopicResult {
        let count = try self.partitionCount(topic, node)
        guard [-1, 1].contains(topic.replicationFactor) else {
            throw TopicRefusal(
                .invalidReplicationFactor,
                "the replication factor is \(topic.replicationFactor), but there is one broker")
        }
        let configs: [TopicConfig] = try .validated(
            topic.configs.filter { $0.value != nil }.map { ($0.name, $0.value) })
        var result = CreateTopicsResponse.CreatableTopicResult(
            name: topic.name, errorMessage: nil, numPartitions: Int32(count), replicationFactor: 1,
            configs: TopicSetting.all.map { setting in
                let own = configs[setting.name]
                return .init(
                    name: setting.name, value: own ?? node.defaultValue(of: setting),
                    configSource: own == nil ? ConfigSource.defaultValue.rawValue : ConfigSource.topic.rawValue)
            })
        if validateOnly {
            try node.catalog.checkCreation(topic.name, partitions: count, besides: checked)
        } else {
            result.topicID = try node.catalog.create(topic.name, partitions: count, configs: configs).id
        }
        return result
    }

    private static func partitionCount(
        _ topic: CreateTopicsRequest.CreatableTopic, _ node: BrokerNode
    ) throws(TopicRefusal) -> Int {
        if !topic.assignments.isEmpty {
            let indexes = topic.assignments.map(\.partitionIndex).sorted()
            guard indexes.elementsEqual((0..<Int32(indexes.count))),
                topic.assignments.allSatisfy({ $0.brokerIDs == [node.configuration.nodeID] })
            else {
                throw TopicRefusal(
                    .invalidReplicaAssignment,
                    "an assignment names partitions 0, 1, … and broker \(node.configuration.nodeID) for each")
            }
            return indexes.count
        }
        if topic.numPartitions == -1 { return node.configuration.defaultPartitions }
        guard topic.numPartitions > 0 else {
            throw TopicRefusal(.invalidPartitions, "a topic has at least one partition")
        }
        return Int(topic.numPartitions)
    }
}
