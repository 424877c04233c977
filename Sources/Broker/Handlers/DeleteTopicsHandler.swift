import KafkaProtocol

// DeleteTopics (20): deletes topics with all their records, and the offsets committed for them.
//
// - Version 6 can name topics by id.
// - Runs on the thread pool, as it writes the disk; the answer comes when the topic is gone from the catalogue.
enum DeleteTopicsHandler: RequestHandler {
    static func handle(_ request: DeleteTopicsRequest, _ exchange: Exchange<DeleteTopicsResponse>) {
        let node = exchange.context.node
        let wanted =
            exchange.context.apiVersion >= 6
            ? request.topics : request.topicNames.map { DeleteTopicsRequest.DeleteTopicState(name: $0) }
        node.onPool {
            exchange.reply(DeleteTopicsResponse(responses: wanted.map { self.delete($0, node) }))
        }
    }

    private static func delete(
        _ wanted: DeleteTopicsRequest.DeleteTopicState, _ node: BrokerNode
    ) -> DeleteTopicsResponse.DeletableTopicResult {
        let topic = wanted.name.map(node.catalog.topic) ?? node.catalog.topic(id: wanted.topicID)
        guard let topic else {
            let code: ErrorCode = wanted.name == nil ? .unknownTopicID : .unknownTopicOrPartition
            return .init(name: wanted.name, topicID: wanted.topicID, errorCode: code, errorMessage: "no such topic")
        }
        do throws(TopicRefusal) {
            try node.catalog.delete(topic)
            node.groups.topicDeleted(topic.name.rawValue)
            return .init(name: topic.name.rawValue, topicID: topic.id)
        } catch {
            return .init(
                name: topic.name.rawValue, topicID: topic.id, errorCode: error.code, errorMessage: error.reason)
        }
    }
}
