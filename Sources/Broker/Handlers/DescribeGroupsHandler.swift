import KafkaProtocol

// DescribeGroups (15): state, members and assignments of groups.
//
// - A group that does not exist is answered in the state "Dead" without an error, as Kafka does.
enum DescribeGroupsHandler: RequestHandler {
    static func handle(_ request: DescribeGroupsRequest, _ exchange: Exchange<DescribeGroupsResponse>) {
        exchange.context.node.groups.describe(request.groups) { groups in
            exchange.reply(DescribeGroupsResponse(groups: groups))
        }
    }
}
