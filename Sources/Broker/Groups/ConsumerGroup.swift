import KafkaProtocol
import NIOCore
import OrderedCollections

/// One consumer group of the classic protocol, as a value: events and the time go in, actions come out.
///
///               first member joins            everybody has rejoined
///      empty ───────────────────▶ preparing ─────────────────────────▶ completing
///        ▲                        rebalance ◀─────────────────────────  rebalance
///        │ nobody rejoined           │  ▲     join, leave, loss, or         │
///        └───────────────────────────┘  │     no sync in time               │ leader's sync
///                                       │                                   ▼
///                                       └─────────────────────────────── stable
///                                            join, leave, loss
///
/// Owned by `GroupCoordinator` on its event loop. It knows no clock, socket or log.
struct ConsumerGroup: Sendable {
    enum Phase: Sendable, Equatable {
        case empty
        /// Waiting for all members to (re)join: not before `earliest`, and at `deadline` without those missing.
        case preparingRebalance(earliest: NIODeadline, deadline: NIODeadline)
        /// Waiting for the leader's assignment; at `deadline` members that have not asked for theirs are lost.
        case completingRebalance(deadline: NIODeadline)
        case stable
    }

    let id: String
    let settings: GroupSettings
    var phase = Phase.empty
    var generation: Int32 = 0
    var protocolType: String?
    var protocolName: String?
    var leaderID: String?
    /// In the order in which they came.
    var members: OrderedDictionary<String, GroupMember> = [:]
    /// Instance id to member id of the static members.
    var staticMemberIDs: [String: String] = [:]
    /// Ids given out with MEMBER_ID_REQUIRED that have not come back yet, and until when they may.
    var pendingMemberIDs: [String: NIODeadline] = [:]

    init(id: String, settings: GroupSettings) {
        self.id = id
        self.settings = settings
    }

    /// Nobody is in it, and nobody is about to be.
    var isDeserted: Bool { self.phase == .empty && self.members.isEmpty && self.pendingMemberIDs.isEmpty }

    mutating func handle(_ event: GroupEvent, now: NIODeadline) -> [GroupAction] {
        var actions: [GroupAction] = []
        switch event {
        case .join(let attempt, let token):
            self.join(attempt, token, now, &actions)
        case .sync(let attempt, let token):
            self.sync(attempt, token, now, &actions)
        case .heartbeat(let caller, let token):
            actions.append(.answerHeartbeat(token, self.heartbeat(caller, now)))
        case .leave(let leaving, let token):
            let errors = leaving.map { self.leave($0, now, &actions) }
            actions.append(.answerLeave(token, errors))
        case .timePassed:
            self.expire(now, &actions)
        }
        return actions
    }

    /// When `timePassed` is next worth telling; nil if only requests can change the group.
    var nextDeadline: NIODeadline? {
        var earliest = self.pendingMemberIDs.values.min()
        func consider(_ deadline: NIODeadline) {
            earliest = earliest.map { min($0, deadline) } ?? deadline
        }
        for member in self.members.values where !member.isWaiting { consider(member.sessionDeadline) }
        switch self.phase {
        case .empty, .stable: break
        case .preparingRebalance(let opens, let deadline): consider(self.everybodyHasJoined ? opens : deadline)
        case .completingRebalance(let deadline): consider(deadline)
        }
        return earliest
    }

    // MARK: Heartbeats and commits

    private mutating func heartbeat(_ caller: GroupCaller, _ now: NIODeadline) -> ErrorCode {
        if let error = self.error(for: caller) { return error }
        self.members[caller.memberID]?.heard(now: now)
        switch self.phase {
        case .empty: return .unknownMemberID
        case .preparingRebalance: return .rebalanceInProgress
        case .completingRebalance, .stable: return .none
        }
    }

    /// Whether an offset commit is accepted. A caller that is no member (generation -1) may commit while the
    /// group is empty; a member only in its generation. A commit counts as a sign of life.
    mutating func checkCommit(by caller: GroupCaller, now: NIODeadline) -> ErrorCode {
        if caller.generation < 0 && caller.memberID.isEmpty && caller.instanceID == nil {
            return self.members.isEmpty ? .none : .unknownMemberID
        }
        if let error = self.error(for: caller) { return error }
        self.members[caller.memberID]?.heard(now: now)
        if case .completingRebalance = self.phase { return .rebalanceInProgress }
        return .none
    }

    /// Why this caller may not speak for the member it says it is, in the order Kafka checks.
    func error(for caller: GroupCaller) -> ErrorCode? {
        if let error = self.error(forMember: caller.memberID, instanceID: caller.instanceID) { return error }
        return caller.generation == self.generation ? nil : .illegalGeneration
    }

    func error(forMember memberID: String, instanceID: String?) -> ErrorCode? {
        if let instanceID {
            guard let current = self.staticMemberIDs[instanceID] else { return .unknownMemberID }
            if current != memberID { return .fencedInstanceID }
        }
        return self.members[memberID] == nil ? .unknownMemberID : nil
    }
}
