public import KafkaProtocol

/// One setting of a topic, with where its value comes from.
public struct TopicSettingValue: Hashable, Sendable {
    /// Kafka's name, `retention.ms` and so on.
    public let name: String
    /// Nil where the cluster keeps it secret.
    public let value: String?
    /// Nil where the broker is too old to tell (before Kafka 1.1).
    public let source: ConfigSource?
    /// Nobody has set it: neither for the topic nor for the broker.
    public let isDefault: Bool
    public let isReadOnly: Bool
}

extension Admin {
    /// Gives a topic more partitions. Needs Kafka 1.0.
    ///
    /// - Parameter count: how many it is to have then.
    /// - Throws: `KafkaClientError.refused`, with `invalidPartitions` if it has that many already.
    public func createPartitions(of topic: TopicName, count: Int) async throws {
        var request = CreatePartitionsRequest()
        request.topics = [
            CreatePartitionsRequest.CreatePartitionsTopic(name: topic.rawValue, count: Int32(clamping: count))
        ]
        request.timeoutMs = cluster.configuration.requestTimeout.wholeMilliseconds
        let answer = try await sendToController(request) { $0.results.map(\.errorCode) }
        cluster.invalidateMetadata(of: [topic])
        let failures = failures(
            answer.results.map { ($0.name, $0.errorCode, $0.errorMessage) }, verb: "adding partitions to")
        if let failure = failures[topic] { throw failure }
    }

    /// A topic's settings, sorted by name.
    ///
    /// - Throws: `KafkaClientError.unknownTopic`, `.refused`.
    public func settings(of topic: TopicName) async throws -> [TopicSettingValue] {
        let resource = DescribeConfigsRequest.DescribeConfigsResource(
            resourceType: ConfigResourceType.topic.rawValue, resourceName: topic.rawValue)
        return try await retrying {
            let answer = try await cluster.send(DescribeConfigsRequest(resources: [resource]), to: .any)
            var settings: [TopicSettingValue] = []
            for result in answer.results {
                // Retriable for those who wait until a topic is there.
                if result.errorCode == .unknownTopicOrPartition { throw KafkaClientError.unknownTopic(topic) }
                guard result.errorCode == .none else {
                    throw KafkaClientError.refused(
                        result.errorCode, subject: "settings of topic \(topic)", message: result.errorMessage)
                }
                settings += result.configs.map { entry in
                    let source = ConfigSource(rawValue: entry.configSource)
                    return TopicSettingValue(
                        name: entry.name, value: entry.isSensitive ? nil : entry.value,
                        source: source, isDefault: source.map { $0 == .defaultValue } ?? entry.isDefault,
                        isReadOnly: entry.readOnly)
                }
            }
            return settings.sorted { $0.name < $1.name }
        }
    }

    /// Changes some of a topic's settings and leaves the others as they are. Needs Kafka 2.3.
    ///
    /// - Parameters:
    ///   - values: new values by Kafka's names.
    ///   - removed: settings that go back to the cluster's default.
    /// - Throws: `KafkaClientError.refused`, with `invalidConfig` and so on; nothing has changed then.
    public func alterSettings(
        of topic: TopicName, set values: [String: String], remove removed: Set<String> = []
    ) async throws {
        let set = values.sorted { $0.key < $1.key }.map { name, value in
            IncrementalAlterConfigsRequest.AlterableConfig(
                name: name, configOperation: ConfigOperation.set.rawValue, value: value)
        }
        let remove = removed.sorted().map { name in
            IncrementalAlterConfigsRequest.AlterableConfig(
                name: name, configOperation: ConfigOperation.delete.rawValue, value: nil)
        }
        let request = IncrementalAlterConfigsRequest(resources: [
            IncrementalAlterConfigsRequest.AlterConfigsResource(
                resourceType: ConfigResourceType.topic.rawValue, resourceName: topic.rawValue, configs: set + remove)
        ])
        let answer = try await sendToController(request) { $0.responses.map(\.errorCode) }
        for result in answer.responses where result.errorCode != .none {
            throw KafkaClientError.refused(
                result.errorCode, subject: "settings of topic \(topic)", message: result.errorMessage)
        }
    }
}
