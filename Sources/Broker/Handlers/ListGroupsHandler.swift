import KafkaProtocol

// ListGroups (16): all groups. Version 4 can ask for those in certain states.
enum ListGroupsHandler: RequestHandler {
    static func handle(_ request: ListGroupsRequest, _ exchange: Exchange<ListGroupsResponse>) {
        let wanted = Set(request.statesFilter.map { $0.lowercased() })
        exchange.context.node.groups.list { groups in
            exchange.reply(
                ListGroupsResponse(
                    groups: groups.filter { wanted.isEmpty || wanted.contains($0.groupState.lowercased()) }))
        }
    }
}
