import KafkaProtocol

// Heartbeat (12): a member's sign of life; the answer tells it when to rejoin.
enum HeartbeatHandler: RequestHandler {
    static func handle(_ request: HeartbeatRequest, _ exchange: Exchange<HeartbeatResponse>) {
        let caller = GroupCaller(
            memberID: request.memberID, instanceID: request.groupInstanceID, generation: request.generationID)
        exchange.context.node.groups.heartbeat(caller, group: request.groupID) { code in
            exchange.reply(HeartbeatResponse(errorCode: code))
        }
    }
}
