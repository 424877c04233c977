import KafkaProtocol

// AlterConfigs (33): replaces all settings of topics.
//
// - A setting that is not named goes back to its default; IncrementalAlterConfigs is the better request.
// - Values are checked by Kafka's rules. `validateOnly` checks without changing.
// - The broker's own settings are given on its command line and are refused with INVALID_REQUEST.
// - Runs on the thread pool, as it writes the disk; the answer comes when the change is there and in effect.
enum AlterConfigsHandler: RequestHandler {
    static func handle(_ request: AlterConfigsRequest, _ exchange: Exchange<AlterConfigsResponse>) {
        let node = exchange.context.node
        node.onPool {
            let responses = request.resources.map { resource -> AlterConfigsResponse.AlterConfigsResourceResponse in
                var response = AlterConfigsResponse.AlterConfigsResourceResponse(
                    resourceType: resource.resourceType, resourceName: resource.resourceName)
                do throws(TopicRefusal) {
                    try ConfigResource.requireTopic(resource.resourceType)
                    let configs: [TopicConfig] = try .validated(resource.configs.map { ($0.name, $0.value) })
                    try node.catalog.alter(resource.resourceName, validateOnly: request.validateOnly) { $0 = configs }
                } catch {
                    response.errorCode = error.code
                    response.errorMessage = error.reason
                }
                return response
            }
            exchange.reply(AlterConfigsResponse(responses: responses))
        }
    }
}

/// What the two requests that change settings have in common.
enum ConfigResource {
    static func requireTopic(_ type: Int8) throws(TopicRefusal) {
        guard ConfigResourceType(rawValue: type) == .topic else {
            throw TopicRefusal(
                .invalidRequest, "only topics can be altered; the broker's settings are given when it starts")
        }
    }
}
