import CommitLog
import KafkaProtocol

// DescribeConfigs (32): the settings of topics and of the broker.
//
// - A topic's settings come from the topic, or are defaults; `max.message.bytes` has the broker's limit as default.
//   Version 0 has `isDefault` instead of a source. Synonyms (version 1) are the topic's own value and the default.
// - The broker is named by its id; an empty name stands for defaults of all brokers, of which there are none. Its
//   settings come from its command line and are read-only.
// - What is asked for twice is answered once.
// - Documentation (version 3) says of settings without an effect here that they have none.
enum DescribeConfigsHandler: RequestHandler {
    private typealias Config = DescribeConfigsResponse.DescribeConfigsResourceResult

    private struct Resource: Hashable {
        let type: Int8
        let name: String
    }

    static func handle(_ request: DescribeConfigsRequest, _ exchange: Exchange<DescribeConfigsResponse>) {
        let node = exchange.context.node
        var seen: Set<Resource> = []
        let asked = request.resources.filter {
            seen.insert(Resource(type: $0.resourceType, name: $0.resourceName)).inserted
        }
        let results = asked.map { resource -> DescribeConfigsResponse.DescribeConfigsResult in
            var result = DescribeConfigsResponse.DescribeConfigsResult(
                resourceType: resource.resourceType, resourceName: resource.resourceName)
            do throws(TopicRefusal) {
                result.configs = try self.configs(of: resource, node, request)
            } catch {
                result.errorCode = error.code
                result.errorMessage = error.reason
            }
            return result
        }
        exchange.reply(DescribeConfigsResponse(results: results))
    }

    private static func configs(
        of resource: DescribeConfigsRequest.DescribeConfigsResource, _ node: BrokerNode,
        _ request: DescribeConfigsRequest
    ) throws(TopicRefusal) -> [Config] {
        let all: [Config]
        switch ConfigResourceType(rawValue: resource.resourceType) {
        case .topic:
            let topic = try node.catalog.existingTopic(resource.resourceName)
            all = TopicSetting.all.map { self.describe($0, topic, node, request) }
        case .broker where resource.resourceName.isEmpty:
            all = []
        case .broker where resource.resourceName == "\(node.configuration.nodeID)":
            all = BrokerSetting.all(of: node.configuration, port: node.listeningPort).map(self.describe)
        case .broker, .brokerLogger:
            throw TopicRefusal(
                .invalidRequest,
                "the resource is '\(resource.resourceName)', but this is broker "
                    + "\(node.configuration.nodeID), whose log levels are not settings")
        case nil:
            throw TopicRefusal(.invalidRequest, "there is no resource type \(resource.resourceType)")
        }
        // Null means all; so does an empty list in Kafka since 2.0.
        guard let keys = resource.configurationKeys, !keys.isEmpty else { return all }
        return all.filter { keys.contains($0.name) }
    }

    private static func describe(
        _ setting: TopicSetting, _ topic: Topic, _ node: BrokerNode, _ request: DescribeConfigsRequest
    ) -> Config {
        let own = topic.configs[setting.name]
        let fallback = node.defaultValue(of: setting)
        var config = Config(
            name: setting.name, value: own ?? fallback,
            configSource: own == nil ? ConfigSource.defaultValue.rawValue : ConfigSource.topic.rawValue,
            isDefault: own == nil, configType: setting.type.rawValue)
        if request.includeSynonyms {
            if let own {
                config.synonyms.append(.init(name: setting.name, value: own, source: ConfigSource.topic.rawValue))
            }
            config.synonyms.append(
                .init(name: setting.name, value: fallback, source: ConfigSource.defaultValue.rawValue))
        }
        if request.includeDocumentation { config.documentation = setting.description }
        return config
    }

    private static func describe(_ setting: BrokerSetting) -> Config {
        Config(
            name: setting.name, value: setting.value, readOnly: true,
            configSource: ConfigSource.staticBroker.rawValue, configType: setting.type.rawValue)
    }
}

extension BrokerNode {
    /// The value of a topic that says nothing.
    func defaultValue(of setting: TopicSetting) -> String {
        switch setting.name {
        case TopicSetting.maximumBatchBytesName: "\(self.configuration.limits.batchBytes)"
        case TopicSetting.segmentBytesName: "\(self.configuration.log.segmentBytes)"
        default: setting.defaultValue
        }
    }
}
