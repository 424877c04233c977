import KafkaProtocol
import NIOCore
import OrderedCollections

/// From the first reason to rebalance to everybody's assignment.
extension ConsumerGroup {
    mutating func prepareRebalance(_ now: NIODeadline, _ actions: inout [GroupAction]) {
        if case .completingRebalance = self.phase {
            for id in self.members.keys {
                self.members[id]?.assignment = ByteBuffer()
                self.answerSync(id, SyncAnswer(error: .rebalanceInProgress), now, &actions)
            }
        }
        let patience = self.members.values.map(\.rebalanceTimeout).max() ?? .zero
        let opens = self.phase == .empty ? now + min(self.settings.initialRebalanceDelay, patience) : now
        self.phase = .preparingRebalance(earliest: opens, deadline: now + patience)
        self.completeJoinIfPossible(now, &actions)
    }

    var everybodyHasJoined: Bool {
        self.pendingMemberIDs.isEmpty && self.members.values.allSatisfy { $0.pendingJoin != nil }
    }

    mutating func completeJoinIfPossible(_ now: NIODeadline, _ actions: inout [GroupAction]) {
        guard case .preparingRebalance(let opens, let deadline) = self.phase else { return }
        if now >= deadline || (now >= opens && self.everybodyHasJoined) { self.completeJoin(now, &actions) }
    }

    /// Starts the next generation with those that (re)joined. Static members that did not keep their place until
    /// their session ends.
    private mutating func completeJoin(_ now: NIODeadline, _ actions: inout [GroupAction]) {
        self.members.removeAll { $0.value.pendingJoin == nil && $0.value.instanceID == nil }
        let rejoined = self.members.values.filter { $0.pendingJoin != nil }
        let patience = self.members.values.map(\.rebalanceTimeout).max() ?? .zero
        guard !self.members.isEmpty else {
            self.generation = self.nextGeneration
            self.phase = .empty
            self.protocolName = nil
            self.leaderID = nil
            actions.append(.store)
            return
        }
        guard let first = rejoined.first else {  // only static members, none back yet
            self.phase = .preparingRebalance(earliest: now, deadline: now + max(patience, .milliseconds(1)))
            return
        }
        if !rejoined.contains(where: { $0.id == self.leaderID }) { self.leaderID = first.id }
        self.generation = self.nextGeneration
        self.protocolName = self.selectProtocol()
        self.phase = .completingRebalance(deadline: now + patience)
        for member in rejoined {
            guard let token = member.pendingJoin else { continue }
            self.members[member.id]?.pendingJoin = nil
            self.members[member.id]?.heard(now: now)
            actions.append(.answerJoin(token, self.joinAnswer(for: member)))
        }
    }

    private var nextGeneration: Int32 { self.generation == .max ? 1 : self.generation + 1 }

    /// Every member votes for the protocol it wants most among those that all know.
    func selectProtocol() -> String? {
        var votes: [String: Int] = [:]
        for member in self.members.values {
            let choice = member.protocols.first { candidate in
                self.members.values.allSatisfy { $0.supports(candidate.name) }
            }
            if let choice { votes[choice.name, default: 0] += 1 }
        }
        return votes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    // MARK: SyncGroup

    mutating func sync(
        _ attempt: SyncAttempt, _ token: GroupReplyToken, _ now: NIODeadline, _ actions: inout [GroupAction]
    ) {
        func refuse(_ error: ErrorCode) {
            actions.append(.answerSync(token, SyncAnswer(error: error)))
        }
        let memberID = attempt.caller.memberID
        if let error = self.error(for: attempt.caller) { return refuse(error) }
        if let type = attempt.protocolType, type != self.protocolType { return refuse(.inconsistentGroupProtocol) }
        if let name = attempt.protocolName, name != self.protocolName { return refuse(.inconsistentGroupProtocol) }
        self.members[memberID]?.heard(now: now)

        switch self.phase {
        case .empty:
            refuse(.unknownMemberID)
        case .preparingRebalance:
            refuse(.rebalanceInProgress)
        case .stable:
            guard let member = self.members[memberID] else { return refuse(.unknownMemberID) }
            actions.append(.answerSync(token, self.syncAnswer(for: member)))
        case .completingRebalance:
            self.answerSync(memberID, SyncAnswer(error: .rebalanceInProgress), now, &actions)  // asked twice
            self.members[memberID]?.pendingSync = token
            if memberID == self.leaderID { self.assign(attempt.assignments, now, &actions) }
        }
    }

    /// The leader has decided. Members it forgot get an empty assignment.
    private mutating func assign(
        _ assignments: [(memberID: String, bytes: ByteBuffer)], _ now: NIODeadline, _ actions: inout [GroupAction]
    ) {
        for id in self.members.keys { self.members[id]?.assignment = ByteBuffer() }
        for (id, bytes) in assignments { self.members[id]?.assignment = bytes }
        self.phase = .stable
        actions.append(.store)
        for member in self.members.values {
            self.answerSync(member.id, self.syncAnswer(for: member), now, &actions)
        }
    }

    private func syncAnswer(for member: GroupMember) -> SyncAnswer {
        SyncAnswer(
            protocolType: self.protocolType, protocolName: self.protocolName, assignment: member.assignment)
    }

    private mutating func answerSync(
        _ memberID: String, _ answer: SyncAnswer, _ now: NIODeadline, _ actions: inout [GroupAction]
    ) {
        guard let token = self.members[memberID]?.pendingSync else { return }
        self.members[memberID]?.pendingSync = nil
        self.members[memberID]?.heard(now: now)
        actions.append(.answerSync(token, answer))
    }
}
