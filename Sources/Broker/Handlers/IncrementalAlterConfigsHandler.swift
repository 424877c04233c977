import KafkaProtocol

// IncrementalAlterConfigs (44): sets, resets, or adds to single settings of topics (KIP-339).
//
// - Operations: 0 set, 1 back to the default, 2 add to a list, 3 take from a list; lists only for the latter two.
// - All of one topic's changes happen or none. A setting named twice is refused with INVALID_REQUEST.
// - Values are checked by Kafka's rules. `validateOnly` checks without changing.
// - Runs on the thread pool, as it writes the disk; the answer comes when the change is there and in effect.
enum IncrementalAlterConfigsHandler: RequestHandler {
    private typealias Resource = IncrementalAlterConfigsRequest.AlterConfigsResource

    static func handle(
        _ request: IncrementalAlterConfigsRequest, _ exchange: Exchange<IncrementalAlterConfigsResponse>
    ) {
        let node = exchange.context.node
        node.onPool {
            let responses = request.resources.map { resource in
                var response = IncrementalAlterConfigsResponse.AlterConfigsResourceResponse(
                    resourceType: resource.resourceType, resourceName: resource.resourceName)
                do throws(TopicRefusal) {
                    try self.alter(resource, validateOnly: request.validateOnly, node)
                } catch {
                    response.errorCode = error.code
                    response.errorMessage = error.reason
                }
                return response
            }
            exchange.reply(IncrementalAlterConfigsResponse(responses: responses))
        }
    }

    private static func alter(_ resource: Resource, validateOnly: Bool, _ node: BrokerNode) throws(TopicRefusal) {
        try ConfigResource.requireTopic(resource.resourceType)
        guard Set(resource.configs.map(\.name)).count == resource.configs.count else {
            throw TopicRefusal(.invalidRequest, "a config is given more than once")
        }
        try node.catalog.alter(resource.resourceName, validateOnly: validateOnly) { (configs) throws(TopicRefusal) in
            for change in resource.configs {
                guard let operation = ConfigOperation(rawValue: change.configOperation) else {
                    throw TopicRefusal(.invalidRequest, "there is no config operation \(change.configOperation)")
                }
                try configs.apply(operation, change.name, change.value)
            }
        }
    }
}
