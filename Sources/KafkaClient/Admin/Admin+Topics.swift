public import KafkaProtocol

/// A topic to be made.
public struct NewTopic: Sendable {
    /// What it is to be called.
    public var name: TopicName
    /// Nil: as the cluster is configured (needs Kafka 2.4 or an embedded broker).
    public var partitions: Int?
    /// Copies of each partition, on as many brokers. Nil: as the cluster is configured.
    public var replicationFactor: Int?
    /// Topic settings by Kafka's names, `retention.ms` and so on.
    public var settings: [String: String]

    public init(
        name: TopicName, partitions: Int? = nil, replicationFactor: Int? = nil, settings: [String: String] = [:]
    ) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.settings = settings
    }
}

extension Admin {
    /// All topics, sorted by name; those the cluster made for itself only if asked for.
    public func listTopics(includingInternal: Bool = false) async throws -> [TopicDescription] {
        try await retrying { try await cluster.refreshMetadata() }.topics.values
            .filter { includingInternal || !$0.isInternal }.sorted { $0.name < $1.name }
    }

    /// These topics, in the same order.
    ///
    /// - Throws: `KafkaClientError.unknownTopic` for the first that does not exist.
    public func describeTopics(_ names: [TopicName]) async throws -> [TopicDescription] {
        cluster.invalidateMetadata(of: names)
        let metadata = try await retrying { try await cluster.metadata(of: names) }
        return try names.map { try metadata.requireTopic($0) }
    }

    /// Creates topics; returns an entry for each that could not be created, so an empty answer is a success.
    ///
    /// - Parameter validateOnly: only say whether they could be.
    public func createTopics(
        _ topics: [NewTopic], validateOnly: Bool = false
    ) async throws -> [TopicName: KafkaClientError] {
        var request = CreateTopicsRequest()
        request.timeoutMs = cluster.configuration.requestTimeout.wholeMilliseconds
        request.validateOnly = validateOnly
        request.topics = topics.map { topic in
            var entry = CreateTopicsRequest.CreatableTopic()
            entry.name = topic.name.rawValue
            entry.numPartitions = topic.partitions.map { Int32(clamping: $0) } ?? -1
            entry.replicationFactor = topic.replicationFactor.map { Int16(clamping: $0) } ?? -1
            entry.configs = topic.settings.sorted { $0.key < $1.key }.map {
                CreateTopicsRequest.CreatableTopicConfig(name: $0.key, value: $0.value)
            }
            return entry
        }
        let answer = try await sendToController(request) { $0.topics.map(\.errorCode) }
        cluster.invalidateMetadata(of: topics.map(\.name))
        return failures(
            answer.topics.map { ($0.name, $0.errorCode, $0.errorMessage) }, verb: "creating")
    }

    /// Creates one topic.
    ///
    /// - Throws: `KafkaClientError.refused`, with `topicAlreadyExists`, `invalidPartitions` and so on.
    public func createTopic(_ topic: NewTopic) async throws {
        if let failure = try await createTopics([topic])[topic.name] { throw failure }
    }

    /// Deletes topics and everything in them; returns an entry for each that could not be deleted.
    public func deleteTopics(_ names: [TopicName]) async throws -> [TopicName: KafkaClientError] {
        let timeout = cluster.configuration.requestTimeout.wholeMilliseconds
        // Version 6 names topics in another form.
        let request = DeleteTopicsRequest(topicNames: names.map(\.rawValue), timeoutMs: timeout)
        let answer = try await sendToController(request, maximumVersion: 5) { $0.responses.map(\.errorCode) }
        cluster.invalidateMetadata(of: names)
        return failures(
            answer.responses.map { ($0.name ?? "", $0.errorCode, $0.errorMessage) }, verb: "deleting")
    }

    /// Deletes one topic and everything in it.
    ///
    /// - Throws: `KafkaClientError.refused`, with `unknownTopicOrPartition` and so on.
    public func deleteTopic(_ name: TopicName) async throws {
        if let failure = try await deleteTopics([name])[name] { throw failure }
    }

    /// The controller may move; the broker that was it says so for each topic.
    func sendToController<Request: KafkaRequest>(
        _ request: Request, maximumVersion: Int16 = .max, codes: (Request.Response) -> [ErrorCode]
    ) async throws -> Request.Response {
        try await retrying {
            let answer = try await cluster.send(request, to: .controller, maximumVersion: maximumVersion)
            if codes(answer).contains(.notController) {
                cluster.invalidateController()
                throw KafkaClientError.refused(.notController, subject: "\(Request.apiKey)", message: nil)
            }
            return answer
        }
    }

    func failures(
        _ results: [(name: String, code: ErrorCode, message: String?)], verb: String
    ) -> [TopicName: KafkaClientError] {
        var failures: [TopicName: KafkaClientError] = [:]
        for result in results where result.code != .none {
            guard let name = try? TopicName(result.name) else { continue }
            failures[name] = .refused(result.code, subject: "\(verb) topic \(name)", message: result.message)
        }
        return failures
    }
}
