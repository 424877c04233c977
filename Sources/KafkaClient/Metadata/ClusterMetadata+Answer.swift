import KafkaProtocol

extension ClusterMetadata {
    /// Takes over a Metadata answer. `replacesTopics`: the answer is about every topic there is.
    mutating func merge(_ answer: MetadataResponse, replacesTopics: Bool) {
        revision += 1
        clusterID = answer.clusterID ?? clusterID
        controllerID = answer.controllerID >= 0 ? answer.controllerID : nil
        brokers = [:]
        for broker in answer.brokers {
            brokers[broker.nodeID] = BrokerDescription(
                id: broker.nodeID, address: BrokerAddress(host: broker.host, port: Int(broker.port)), rack: broker.rack)
        }
        if replacesTopics {
            topics = [:]
            refusals = [:]
        }
        for topic in answer.topics {
            // A name no topic can have is of no use to anybody.
            guard let text = topic.name, let name = try? TopicName(text) else { continue }
            refusals.removeValue(forKey: name)
            switch topic.errorCode {
            case .none, .unknownTopicOrPartition: break
            case let code: if !code.isRetriable { refusals[name] = code }
            }
            if let description = TopicDescription(topic, name: name) {
                topics[name] = description.keepingNewerLeaders(of: topics[name])
            } else {
                topics.removeValue(forKey: name)
            }
        }
    }
}

extension TopicDescription {
    /// Nil if the topic does not exist or cannot be described now.
    fileprivate init?(_ topic: MetadataResponse.MetadataResponseTopic, name: TopicName) {
        guard topic.errorCode == .none, !topic.partitions.isEmpty else { return nil }
        self.init(
            name: name, id: topic.topicID == .zero ? nil : topic.topicID, isInternal: topic.isInternal,
            partitions: topic.partitions.map { partition in
                PartitionDescription(
                    index: PartitionIndex(rawValue: partition.partitionIndex),
                    leader: partition.leaderID >= 0 ? partition.leaderID : nil, leaderEpoch: partition.leaderEpoch,
                    replicas: partition.replicaNodes, inSyncReplicas: partition.isrNodes)
            }.sorted { $0.index < $1.index })
    }
}

extension TopicDescription {
    /// With the leaders that are known already where this answer, of a broker that is behind, has older ones (KIP-320).
    func keepingNewerLeaders(of known: TopicDescription?) -> TopicDescription {
        guard let known, let id, known.id == id else { return self }
        return TopicDescription(
            name: name, id: id, isInternal: isInternal,
            partitions: partitions.map { partition in
                guard let old = known.partition(partition.index), old.leaderEpoch > partition.leaderEpoch else {
                    return partition
                }
                return old
            })
    }
}
