import KafkaProtocol

// AlterConfigs (33): replaces all settings of topics.
//
// - A setting that is not named goes back to its default; IncrementalAlterConfigs is the better request.
// - Values are checked by Kafka's rules. `validateOnly` checks without changing.
// - A topic that is named twice is refused with INVALID_REQUEST.
// - The broker's own settings are given on its command line and are refused with INVALID_REQUEST.
// - Runs on the thread pool, as it writes the disk; the answer comes when the change is there and in effect.
enum AlterConfigsHandler: RequestHandler {
    static func handle(_ request: AlterConfigsRequest, _ exchange: Exchange<AlterConfigsResponse>) {
        let node = exchange.context.node
        node.onPool {
            let refusals = ConfigResource.alter(
                request.resources, as: { ConfigResource(type: $0.resourceType, name: $0.resourceName) },
                validateOnly: request.validateOnly, node.catalog
            ) { (resource) throws(TopicRefusal) in
                let configs: [TopicConfig] = try .validated(resource.configs.map { ($0.name, $0.value) })
                return Catalog.ConfigChange(topic: resource.resourceName) { $0 = configs }
            }
            exchange.reply(
                AlterConfigsResponse(
                    responses: zip(request.resources, refusals).map { resource, refusal in
                        .init(
                            errorCode: refusal?.code ?? .none, errorMessage: refusal?.reason,
                            resourceType: resource.resourceType, resourceName: resource.resourceName)
                    }))
        }
    }
}
