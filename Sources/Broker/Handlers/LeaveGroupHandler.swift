import KafkaProtocol

// LeaveGroup (13): takes members out of a group at once, without waiting for their sessions to end.
//
// - Version 3 and later name several members, also static ones by instance id alone, and get a code for each.
enum LeaveGroupHandler: RequestHandler {
    static func handle(_ request: LeaveGroupRequest, _ exchange: Exchange<LeaveGroupResponse>) {
        let namesSeveral = exchange.context.apiVersion >= 3
        let members =
            namesSeveral
            ? request.members.map { LeavingMember(memberID: $0.memberID, instanceID: $0.groupInstanceID) }
            : [LeavingMember(memberID: request.memberID)]
        exchange.context.node.groups.leave(members, group: request.groupID) { codes in
            guard codes.count == members.count else {
                return exchange.reply(LeaveGroupResponse(errorCode: .coordinatorNotAvailable))
            }
            guard namesSeveral else {
                return exchange.reply(LeaveGroupResponse(errorCode: codes.first ?? .none))
            }
            exchange.reply(
                LeaveGroupResponse(
                    members: zip(members, codes).map {
                        .init(memberID: $0.memberID, groupInstanceID: $0.instanceID, errorCode: $1)
                    }))
        }
    }
}
