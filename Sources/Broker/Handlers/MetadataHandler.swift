import KafkaProtocol

// Metadata (3): the brokers, and the leaders of topics' partitions.
//
// - This broker is the only one, the controller, and the leader of everything.
// - Version 0 asks for all topics with an empty list, later versions with null. Topics can be asked for by id from
//   version 10 on.
// - A topic that is asked for twice is answered once, as in Kafka.
// - A topic asked for by name that does not exist is created, if the broker's settings and (from version 4 on) the
//   request allow it, and is in the answer at once: there is no LEADER_NOT_AVAILABLE to retry.
// - Clients are told the address by which they reached the broker unless one is configured.
enum MetadataHandler: RequestHandler {
    static func handle(_ request: MetadataRequest, _ exchange: Exchange<MetadataResponse>) {
        let node = exchange.context.node
        let wantsAll = request.topics.map { exchange.context.apiVersion == 0 && $0.isEmpty } ?? true
        if wantsAll {
            let topics = node.catalog.allTopics.map { self.describe($0, node) }
            return exchange.reply(self.response(topics, exchange.context))
        }
        let asked = self.unique(request.topics ?? [])
        let mayCreate = node.configuration.autoCreateTopics && request.allowAutoTopicCreation
        let isMissing = asked.contains { topic in topic.name.map { node.catalog.topic($0) == nil } ?? false }
        if mayCreate && isMissing {
            node.onPool { self.answer(asked, mayCreate: true, exchange) }
        } else {
            self.answer(asked, mayCreate: false, exchange)
        }
    }

    /// Each topic once: what is answered may be a thousand times what asks for it.
    private static func unique(
        _ asked: [MetadataRequest.MetadataRequestTopic]
    ) -> [MetadataRequest.MetadataRequestTopic] {
        guard asked.count > 1 else { return asked }
        var names: Set<String> = []
        var ids: Set<TopicID> = []
        return asked.filter { topic in
            topic.name.map { names.insert($0).inserted } ?? ids.insert(topic.topicID).inserted
        }
    }

    private static func answer(
        _ asked: [MetadataRequest.MetadataRequestTopic], mayCreate: Bool, _ exchange: Exchange<MetadataResponse>
    ) {
        let node = exchange.context.node
        let topics = asked.map { asked -> MetadataResponse.MetadataResponseTopic in
            guard let name = asked.name else {
                guard let topic = node.catalog.topic(id: asked.topicID) else {
                    return .init(errorCode: .unknownTopicID, name: nil, topicID: asked.topicID)
                }
                return self.describe(topic, node)
            }
            if let topic = node.catalog.topic(name) { return self.describe(topic, node) }
            do throws(TopicRefusal) {
                guard mayCreate else {
                    _ = try node.catalog.validName(name)
                    throw TopicRefusal(.unknownTopicOrPartition, "no such topic")
                }
                return self.describe(try node.catalog.topicCreatingIfNeeded(name), node)
            } catch {
                return .init(errorCode: error.code, name: name)
            }
        }
        exchange.reply(self.response(topics, exchange.context))
    }

    private static func response(
        _ topics: [MetadataResponse.MetadataResponseTopic], _ context: RequestContext
    ) -> MetadataResponse {
        let node = context.node
        let (host, port) = node.advertisedAddress(for: context.peer)
        return MetadataResponse(
            brokers: [.init(nodeID: node.configuration.nodeID, host: host, port: port)],
            clusterID: node.catalog.clusterID, controllerID: node.configuration.nodeID, topics: topics)
    }

    private static func describe(_ topic: Topic, _ node: BrokerNode) -> MetadataResponse.MetadataResponseTopic {
        let nodeID = node.configuration.nodeID
        return MetadataResponse.MetadataResponseTopic(
            name: topic.name.rawValue, topicID: topic.id, isInternal: topic.isInternal,
            partitions: topic.partitions.map {
                MetadataResponse.MetadataResponsePartition(
                    partitionIndex: $0.index, leaderID: nodeID, leaderEpoch: $0.leaderEpoch, replicaNodes: [nodeID],
                    isrNodes: [nodeID])
            })
    }
}
