import KafkaProtocol

// SyncGroup (14): the leader hands in everybody's assignment, and every member gets its own.
//
// - Answered when the leader has handed it in. From version 5 on protocol type and name are checked and answered.
enum SyncGroupHandler: RequestHandler {
    static func handle(_ request: SyncGroupRequest, _ exchange: Exchange<SyncGroupResponse>) {
        let attempt = SyncAttempt(
            caller: GroupCaller(
                memberID: request.memberID, instanceID: request.groupInstanceID, generation: request.generationID),
            protocolType: request.protocolType, protocolName: request.protocolName,
            assignments: request.assignments.map { ($0.memberID, $0.assignment.detached) })
        exchange.context.node.groups.sync(attempt, group: request.groupID) { answer in
            exchange.reply(
                SyncGroupResponse(
                    errorCode: answer.error, protocolType: answer.protocolType, protocolName: answer.protocolName,
                    assignment: answer.assignment))
        }
    }
}
