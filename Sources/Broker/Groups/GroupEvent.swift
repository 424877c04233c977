import KafkaProtocol
import NIOCore

/// What happens to a consumer group.
enum GroupEvent: Sendable {
    case join(JoinAttempt, GroupReplyToken)
    case sync(SyncAttempt, GroupReplyToken)
    case heartbeat(GroupCaller, GroupReplyToken)
    case leave([LeavingMember], GroupReplyToken)
    /// A deadline may have passed.
    case timePassed
}

/// What a consumer group wants done. The coordinator carries it out after the group's value has been stored.
enum GroupAction: Sendable {
    case answerJoin(GroupReplyToken, JoinAnswer)
    case answerSync(GroupReplyToken, SyncAnswer)
    case answerHeartbeat(GroupReplyToken, ErrorCode)
    case answerLeave(GroupReplyToken, [ErrorCode])
    /// Members, generation or assignments changed in a way that must outlive a restart.
    case store
}

/// A JoinGroup request.
struct JoinAttempt: Sendable {
    /// Empty at the first attempt.
    var memberID: String
    var instanceID: String?
    /// The id the member gets if it has none; made by the coordinator, so that the group stays deterministic.
    var freshMemberID: String
    /// Whether a member without id has to come back with the one it is given (JoinGroup 4 and later).
    var mustKnowItsID: Bool
    var clientID: String
    var clientHost: String
    var sessionTimeout: TimeAmount
    var rebalanceTimeout: TimeAmount
    var protocolType: String
    var protocols: [GroupProtocol]
}

/// Who speaks in SyncGroup, Heartbeat and OffsetCommit.
struct GroupCaller: Sendable {
    var memberID: String
    var instanceID: String?
    var generation: Int32
}

/// A SyncGroup request.
struct SyncAttempt: Sendable {
    var caller: GroupCaller
    /// Nil before SyncGroup 5.
    var protocolType: String?
    var protocolName: String?
    /// From the leader only: member id and its bytes.
    var assignments: [(memberID: String, bytes: ByteBuffer)]
}

/// One entry of a LeaveGroup request.
struct LeavingMember: Sendable {
    var memberID: String
    var instanceID: String?
}

/// The answer to a JoinGroup request.
struct JoinAnswer: Sendable, Equatable {
    var error: ErrorCode = .none
    var generation: Int32 = -1
    var protocolType: String?
    var protocolName: String?
    var leaderID = ""
    var memberID = ""
    /// For the leader, who assigns; empty for everybody else.
    var members: [JoinedMember] = []

    struct JoinedMember: Sendable, Equatable {
        var id: String
        var instanceID: String?
        var metadata: ByteBuffer
    }
}

/// The answer to a SyncGroup request.
struct SyncAnswer: Sendable, Equatable {
    var error: ErrorCode = .none
    var protocolType: String?
    var protocolName: String?
    var assignment = ByteBuffer()
}
