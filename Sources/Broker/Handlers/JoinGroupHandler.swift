import KafkaProtocol
import NIOCore

// JoinGroup (11): makes the sender a member of a group; answered when the rebalance completes.
//
// - Version 0 has no rebalance timeout: the session timeout serves for both.
// - From version 4 on a member without id is told its id with MEMBER_ID_REQUIRED and comes back with it (KIP-394),
//   unless it is static (version 5, KIP-345).
// - The protocol name may be null in the answer from version 7 on; before, an error has an empty one.
enum JoinGroupHandler: RequestHandler {
    static func handle(_ request: JoinGroupRequest, _ exchange: Exchange<JoinGroupResponse>) {
        let context = exchange.context
        guard !request.groupID.isEmpty else {
            return exchange.reply(self.response(JoinAnswer(error: .invalidGroupID, memberID: request.memberID), 0))
        }
        let clientID = context.clientID ?? ""
        let sessionTimeout = TimeAmount.milliseconds(Int64(request.sessionTimeoutMs))
        let attempt = JoinAttempt(
            memberID: request.memberID, instanceID: request.groupInstanceID,
            freshMemberID: "\(request.groupInstanceID ?? clientID)-\(KafkaUUID.random())",
            mustKnowItsID: context.apiVersion >= 4, clientID: clientID, clientHost: context.peer.host,
            sessionTimeout: sessionTimeout,
            rebalanceTimeout: request.rebalanceTimeoutMs > 0
                ? .milliseconds(Int64(request.rebalanceTimeoutMs)) : sessionTimeout,
            protocolType: request.protocolType,
            protocols: request.protocols.map { GroupProtocol(name: $0.name, metadata: $0.metadata.detached) })
        context.node.groups.join(attempt, group: request.groupID) { answer in
            exchange.reply(self.response(answer, context.apiVersion))
        }
    }

    private static func response(_ answer: JoinAnswer, _ version: Int16) -> JoinGroupResponse {
        JoinGroupResponse(
            errorCode: answer.error, generationID: answer.generation, protocolType: answer.protocolType,
            protocolName: version >= 7 ? answer.protocolName : answer.protocolName ?? "", leader: answer.leaderID,
            memberID: answer.memberID,
            members: answer.members.map {
                .init(memberID: $0.id, groupInstanceID: $0.instanceID, metadata: $0.metadata)
            })
    }
}
