import KafkaProtocol

// DeleteGroups (42): forgets groups with their committed offsets.
//
// - A group with members is answered NON_EMPTY_GROUP, an unknown one GROUP_ID_NOT_FOUND.
// - Answered when the deletion is as durable as an append with acks=all.
enum DeleteGroupsHandler: RequestHandler {
    static func handle(_ request: DeleteGroupsRequest, _ exchange: Exchange<DeleteGroupsResponse>) {
        exchange.context.node.groups.delete(groups: request.groupsNames) { codes in
            exchange.reply(
                DeleteGroupsResponse(
                    results: zip(request.groupsNames, codes).map { .init(groupID: $0, errorCode: $1) }))
        }
    }
}
