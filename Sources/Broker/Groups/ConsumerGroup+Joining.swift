import KafkaProtocol
import NIOCore
import OrderedCollections

/// JoinGroup: who may become a member, and who makes the group rebalance.
extension ConsumerGroup {
    mutating func join(
        _ attempt: JoinAttempt, _ token: GroupReplyToken, _ now: NIODeadline, _ actions: inout [GroupAction]
    ) {
        func refuse(_ error: ErrorCode, memberID: String? = nil) {
            actions.append(.answerJoin(token, JoinAnswer(error: error, memberID: memberID ?? attempt.memberID)))
        }
        guard self.settings.sessionTimeouts.contains(attempt.sessionTimeout) else {
            return refuse(.invalidSessionTimeout)
        }
        guard self.canFollow(attempt) else { return refuse(.inconsistentGroupProtocol) }

        if !attempt.memberID.isEmpty {
            if self.pendingMemberIDs[attempt.memberID] != nil {
                self.pendingMemberIDs[attempt.memberID] = nil
                return self.admit(attempt, as: attempt.memberID, token, now, &actions)
            }
            if let error = self.error(forMember: attempt.memberID, instanceID: attempt.instanceID) {
                return refuse(error)
            }
            return self.rejoin(attempt, token, now, &actions)
        }
        if let instanceID = attempt.instanceID, let formerID = self.staticMemberIDs[instanceID] {
            return self.replaceStaticMember(formerID, attempt, token, now, &actions)
        }
        guard self.members.count + self.pendingMemberIDs.count < self.settings.maximumMembers else {
            return refuse(.groupMaxSizeReached)
        }
        if attempt.mustKnowItsID && attempt.instanceID == nil {
            self.pendingMemberIDs[attempt.freshMemberID] = now + attempt.sessionTimeout
            return refuse(.memberIDRequired, memberID: attempt.freshMemberID)
        }
        self.admit(attempt, as: attempt.freshMemberID, token, now, &actions)
    }

    /// The protocol type is the group's, and at least one protocol is known to all members.
    private func canFollow(_ attempt: JoinAttempt) -> Bool {
        guard !attempt.protocolType.isEmpty, !attempt.protocols.isEmpty else { return false }
        let others = self.members.values.filter { $0.id != attempt.memberID }
        guard !others.isEmpty else { return true }
        guard self.protocolType == attempt.protocolType else { return false }
        return attempt.protocols.contains { offered in others.allSatisfy { $0.supports(offered.name) } }
    }

    private mutating func admit(
        _ attempt: JoinAttempt, as memberID: String, _ token: GroupReplyToken, _ now: NIODeadline,
        _ actions: inout [GroupAction]
    ) {
        if self.members.isEmpty { self.protocolType = attempt.protocolType }
        self.members[memberID] = GroupMember(
            id: memberID, instanceID: attempt.instanceID, clientID: attempt.clientID,
            clientHost: attempt.clientHost, sessionTimeout: attempt.sessionTimeout,
            rebalanceTimeout: attempt.rebalanceTimeout, protocols: attempt.protocols, pendingJoin: token,
            sessionDeadline: now + attempt.sessionTimeout)
        if let instanceID = attempt.instanceID { self.staticMemberIDs[instanceID] = memberID }
        if self.leaderID == nil { self.leaderID = memberID }

        if case .preparingRebalance(let opens, let deadline) = self.phase {
            if opens > now {  // still in the initial delay: wait for more like this one
                self.phase = .preparingRebalance(
                    earliest: min(deadline, now + self.settings.initialRebalanceDelay), deadline: deadline)
            }
            self.completeJoinIfPossible(now, &actions)
        } else {
            self.prepareRebalance(now, &actions)
        }
    }

    private mutating func rejoin(
        _ attempt: JoinAttempt, _ token: GroupReplyToken, _ now: NIODeadline, _ actions: inout [GroupAction]
    ) {
        guard var member = self.members[attempt.memberID] else { return }
        let isUnchanged = member.protocols == attempt.protocols
        let mayStay: Bool
        switch self.phase {
        case .stable: mayStay = isUnchanged && member.id != self.leaderID
        case .completingRebalance: mayStay = isUnchanged  // its answer may have been lost
        case .empty, .preparingRebalance: mayStay = false
        }
        member.heard(now: now)
        if mayStay {
            self.members[member.id] = member
            actions.append(.answerJoin(token, self.joinAnswer(for: member)))
            return
        }
        if let abandoned = member.pendingJoin {  // the member asked again, perhaps over a new connection
            actions.append(.answerJoin(abandoned, JoinAnswer(error: .unknownMemberID, memberID: member.id)))
        }
        if self.members.count == 1 { self.protocolType = attempt.protocolType }
        member.protocols = attempt.protocols
        member.sessionTimeout = attempt.sessionTimeout
        member.rebalanceTimeout = attempt.rebalanceTimeout
        member.clientID = attempt.clientID
        member.clientHost = attempt.clientHost
        member.pendingJoin = token
        self.members[member.id] = member
        if case .preparingRebalance = self.phase {
            self.completeJoinIfPossible(now, &actions)
        } else {
            self.prepareRebalance(now, &actions)
        }
    }

    /// A static member came back without its member id: it gets a new one, and whoever still uses the old one is
    /// fenced. If the group would choose the same protocol with the same metadata, nobody else notices.
    private mutating func replaceStaticMember(
        _ formerID: String, _ attempt: JoinAttempt, _ token: GroupReplyToken, _ now: NIODeadline,
        _ actions: inout [GroupAction]
    ) {
        guard let former = self.members.removeValue(forKey: formerID) else { return }
        if let pending = former.pendingJoin {
            actions.append(.answerJoin(pending, JoinAnswer(error: .fencedInstanceID, memberID: formerID)))
        }
        if let pending = former.pendingSync {
            actions.append(.answerSync(pending, SyncAnswer(error: .fencedInstanceID)))
        }
        var member = GroupMember(
            id: attempt.freshMemberID, instanceID: attempt.instanceID, clientID: attempt.clientID,
            clientHost: attempt.clientHost, sessionTimeout: attempt.sessionTimeout,
            rebalanceTimeout: attempt.rebalanceTimeout, protocols: attempt.protocols,
            assignment: former.assignment, sessionDeadline: now + attempt.sessionTimeout)
        if let instanceID = attempt.instanceID { self.staticMemberIDs[instanceID] = member.id }
        if self.leaderID == formerID { self.leaderID = member.id }

        self.members[member.id] = member
        let isUnnoticed =
            self.phase == .stable && self.selectProtocol() == self.protocolName
            && self.protocolName.map { former.metadata(for: $0) == member.metadata(for: $0) } == true
        if isUnnoticed {
            // Told that it follows, even if it led: nobody has to assign anything.
            var answer = self.joinAnswer(for: member)
            answer.members = []
            if answer.leaderID == member.id { answer.leaderID = formerID }
            actions.append(.store)
            actions.append(.answerJoin(token, answer))
            return
        }
        member.pendingJoin = token
        self.members[member.id] = member
        if case .preparingRebalance = self.phase {
            self.completeJoinIfPossible(now, &actions)
        } else {
            self.prepareRebalance(now, &actions)
        }
    }

    func joinAnswer(for member: GroupMember) -> JoinAnswer {
        var answer = JoinAnswer(
            generation: self.generation, protocolType: self.protocolType, protocolName: self.protocolName,
            leaderID: self.leaderID ?? "", memberID: member.id)
        if member.id == self.leaderID, let name = self.protocolName {
            answer.members = self.members.values.map {
                JoinAnswer.JoinedMember(
                    id: $0.id, instanceID: $0.instanceID, metadata: $0.metadata(for: name) ?? ByteBuffer())
            }
        }
        return answer
    }
}
