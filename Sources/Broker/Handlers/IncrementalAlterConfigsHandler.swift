import KafkaProtocol

// IncrementalAlterConfigs (44): sets, resets, or adds to single settings of topics (KIP-339).
//
// - Operations: 0 set, 1 back to the default, 2 add to a list, 3 take from a list; lists only for the latter two.
// - All of one topic's changes happen or none. A setting named twice is refused with INVALID_REQUEST, and so is a topic.
// - Values are checked by Kafka's rules. `validateOnly` checks without changing.
// - Runs on the thread pool, as it writes the disk; the answer comes when the change is there and in effect.
enum IncrementalAlterConfigsHandler: RequestHandler {
    static func handle(
        _ request: IncrementalAlterConfigsRequest, _ exchange: Exchange<IncrementalAlterConfigsResponse>
    ) {
        let node = exchange.context.node
        node.onPool {
            let refusals = ConfigResource.alter(
                request.resources, as: { ConfigResource(type: $0.resourceType, name: $0.resourceName) },
                validateOnly: request.validateOnly, node.catalog, self.change)
            exchange.reply(
                IncrementalAlterConfigsResponse(
                    responses: zip(request.resources, refusals).map { resource, refusal in
                        .init(
                            errorCode: refusal?.code ?? .none, errorMessage: refusal?.reason,
                            resourceType: resource.resourceType, resourceName: resource.resourceName)
                    }))
        }
    }

    private static func change(
        _ resource: IncrementalAlterConfigsRequest.AlterConfigsResource
    ) throws(TopicRefusal) -> Catalog.ConfigChange {
        guard Set(resource.configs.map(\.name)).count == resource.configs.count else {
            throw TopicRefusal(.invalidRequest, "a config is given more than once")
        }
        return Catalog.ConfigChange(topic: resource.resourceName) { (configs) throws(TopicRefusal) in
            for change in resource.configs {
                guard let operation = ConfigOperation(rawValue: change.configOperation) else {
                    throw TopicRefusal(.invalidRequest, "there is no config operation \(change.configOperation)")
                }
                try configs.apply(operation, change.name, change.value)
            }
        }
    }
}
