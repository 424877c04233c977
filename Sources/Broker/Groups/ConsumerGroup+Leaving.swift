import KafkaProtocol
import NIOCore
import OrderedCollections

/// Members that leave, and members that are lost.
extension ConsumerGroup {
    mutating func leave(
        _ leaving: LeavingMember, _ now: NIODeadline, _ actions: inout [GroupAction]
    ) -> ErrorCode {
        var memberID = leaving.memberID
        if memberID.isEmpty, let instanceID = leaving.instanceID {  // an administrator removes a static member
            guard let current = self.staticMemberIDs[instanceID] else { return .unknownMemberID }
            memberID = current
        }
        if self.pendingMemberIDs.removeValue(forKey: memberID) != nil {
            self.completeJoinIfPossible(now, &actions)
            return .none
        }
        if let error = self.error(forMember: memberID, instanceID: leaving.instanceID) { return error }
        self.remove(memberID, &actions)
        self.rebalanceAfterLoss(now, &actions)
        return .none
    }

    /// Lets go of all whose deadline has passed.
    mutating func expire(_ now: NIODeadline, _ actions: inout [GroupAction]) {
        self.pendingMemberIDs = self.pendingMemberIDs.filter { $0.value > now }
        let lost = self.members.values.filter { member in
            if !member.isWaiting && member.sessionDeadline <= now { return true }
            if case .completingRebalance(let deadline) = self.phase {
                return deadline <= now && member.pendingSync == nil
            }
            return false
        }
        for member in lost { self.remove(member.id, &actions) }
        if lost.isEmpty {
            self.completeJoinIfPossible(now, &actions)
        } else {
            self.rebalanceAfterLoss(now, &actions)
        }
    }

    private mutating func remove(_ memberID: String, _ actions: inout [GroupAction]) {
        guard let member = self.members.removeValue(forKey: memberID) else { return }
        if let instanceID = member.instanceID { self.staticMemberIDs[instanceID] = nil }
        if self.leaderID == memberID {
            self.leaderID = self.members.values.first { $0.pendingJoin != nil }?.id ?? self.members.keys.first
        }
        if let token = member.pendingJoin {
            actions.append(.answerJoin(token, JoinAnswer(error: .unknownMemberID, memberID: memberID)))
        }
        if let token = member.pendingSync {
            actions.append(.answerSync(token, SyncAnswer(error: .unknownMemberID)))
        }
    }

    private mutating func rebalanceAfterLoss(_ now: NIODeadline, _ actions: inout [GroupAction]) {
        switch self.phase {
        case .empty: break
        case .preparingRebalance: self.completeJoinIfPossible(now, &actions)
        case .completingRebalance, .stable: self.prepareRebalance(now, &actions)
        }
    }
}
