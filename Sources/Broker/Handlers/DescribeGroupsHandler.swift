import KafkaProtocol

// DescribeGroups (15): state, members and assignments of groups.
//
// - A group that is asked for twice is answered once.
// - A group that does not exist is answered in the state "Dead" without an error, as Kafka does.
enum DescribeGroupsHandler: RequestHandler {
    static func handle(_ request: DescribeGroupsRequest, _ exchange: Exchange<DescribeGroupsResponse>) {
        var seen: Set<String> = []
        let asked = request.groups.filter { seen.insert($0).inserted }
        exchange.context.node.groups.describe(asked) { groups in
            exchange.reply(DescribeGroupsResponse(groups: groups))
        }
    }
}
