public import KafkaProtocol

/// What is known of a cluster at one moment: its brokers, topics and partition leaders. A snapshot, never changed.
public struct ClusterMetadata: Sendable {
    /// The cluster's own id, once a broker has told it.
    public internal(set) var clusterID: String?
    /// The broker that creates and deletes topics.
    public internal(set) var controllerID: Int32?
    /// Brokers by their number.
    public internal(set) var brokers: [Int32: BrokerDescription] = [:]
    /// The topics asked for so far, those that exist.
    public internal(set) var topics: [TopicName: TopicDescription] = [:]

    /// Grows with each answer that was taken over.
    var revision: UInt64 = 0

    /// Why topics that do exist, or may, cannot be described: above all for lack of authorization.
    var refusals: [TopicName: ErrorCode] = [:]

    /// The broker that leads a partition; nil if the topic or partition is not known or has no leader now.
    public func leader(of partition: TopicPartition) -> Int32? {
        topics[partition.topic]?.partition(partition.partition)?.leader
    }

    /// - Throws: `KafkaClientError.unknownTopic`, or `.refused` if the broker does not want to tell.
    func requireTopic(_ name: TopicName) throws(KafkaClientError) -> TopicDescription {
        if let topic = topics[name] { return topic }
        if let code = refusals[name] { throw .refused(code, subject: "topic \(name)", message: nil) }
        throw .unknownTopic(name)
    }

    /// The broker that leads a partition.
    ///
    /// - Throws: `KafkaClientError.unknownTopic`, `.unknownPartition` or `.noLeader`.
    func requireLeader(of partition: TopicPartition) throws(KafkaClientError) -> Int32 {
        let topic = try requireTopic(partition.topic)
        guard let description = topic.partition(partition.partition) else { throw .unknownPartition(partition) }
        guard let leader = description.leader else { throw .noLeader(partition) }
        return leader
    }

    /// How many partitions a topic has; nil if it is not known.
    public func partitionCount(of topic: TopicName) -> Int? {
        topics[topic]?.partitions.count
    }
}

/// One broker of a cluster.
public struct BrokerDescription: Hashable, Sendable {
    /// The broker's number, `broker.id`.
    public let id: Int32
    /// Where it says it can be reached.
    public let address: BrokerAddress
    /// The rack or zone it stands in, if configured.
    public let rack: String?
}

/// One topic of a cluster.
public struct TopicDescription: Hashable, Sendable {
    /// What it is called.
    public let name: TopicName
    /// Its id, which a topic of the same name that is created later does not have; nil if the brokers have no ids
    /// (before Kafka 2.8).
    public var id: TopicID?
    /// Made by the cluster for itself, as `__consumer_offsets`.
    public let isInternal: Bool
    /// In order of their numbers.
    public let partitions: [PartitionDescription]

    func partition(_ index: PartitionIndex) -> PartitionDescription? {
        let position = Int(index.rawValue)
        // Numbers are dense, so the position nearly always fits.
        if partitions.indices.contains(position), partitions[position].index == index { return partitions[position] }
        return partitions.first { $0.index == index }
    }
}

/// One partition of a topic.
public struct PartitionDescription: Hashable, Sendable {
    /// Its number in the topic.
    public let index: PartitionIndex
    /// The broker that leads it; nil while there is none.
    public let leader: Int32?
    /// Grows with each new leader; -1 if the broker does not tell.
    public let leaderEpoch: Int32
    /// The brokers that hold a copy.
    public let replicas: [Int32]
    /// Those of them that are up to date.
    public let inSyncReplicas: [Int32]
}
