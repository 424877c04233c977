import KafkaProtocol

// DeleteGroups (42): forgets groups with their committed offsets.
//
// - A group with members is answered NON_EMPTY_GROUP, an unknown one GROUP_ID_NOT_FOUND.
// - Answered when the deletion is as durable as an append with acks=all.
enum DeleteGroupsHandler: RequestHandler {
    static func handle(_ request: DeleteGroupsRequest, _ exchange: Exchange<DeleteGroupsResponse>) {
        self.delete(request.groupsNames[...], [], exchange)
    }

    /// One group after the other.
    private static func delete(
        _ rest: ArraySlice<String>, _ results: [DeleteGroupsResponse.DeletableGroupResult],
        _ exchange: Exchange<DeleteGroupsResponse>
    ) {
        guard let group = rest.first else { return exchange.reply(DeleteGroupsResponse(results: results)) }
        exchange.context.node.groups.delete(group: group) { code in
            self.delete(rest.dropFirst(), results + [.init(groupID: group, errorCode: code)], exchange)
        }
    }
}
