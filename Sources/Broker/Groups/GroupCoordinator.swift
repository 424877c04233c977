import KafkaProtocol
import Logging
import NIOCore

/// Owns all consumer groups and carries out what they decide. Everything happens on one event loop, so there is no
/// lock: any thread may call, and answers are given on that loop.
final class GroupCoordinator: Sendable {
    let eventLoop: any EventLoop
    let settings: GroupSettings
    let topic: OffsetsTopic
    let clock: BrokerClock
    let logger: Logger
    /// Whether commits wait for the disk.
    let waitsForSync: Bool
    let offsetsTopicBytes: Int
    let limits: BrokerLimits
    let counters: BrokerCounters
    let rooms: NIOLoopBoundBox<Rooms>

    /// What changes, all of it.
    struct Rooms {
        var groups: [String: Room] = [:]
        /// The groups whose offsets are part of open transactions, by the producers' ids.
        var groupsInTransactions: [Int64: Set<String>] = [:]
        var pending: [GroupReplyToken: PendingAnswer] = [:]
        var nextToken: UInt64 = 0
        var isStopping = false
        /// Bytes of what members of all groups offer and are assigned.
        var memberBytes = 0
        /// The next look for offsets that are past their retention.
        var expiry: Scheduled<Void>?
        var appendsSinceLook = 0
        /// Bytes of the offsets topic's partitions after they were last rewritten.
        var rewrittenBytes: [Int32: Int] = [:]
    }

    /// One group with its offsets and its timer.
    struct Room {
        var group: ConsumerGroup
        var offsets = CommittedOffsets()
        /// What open transactions commit.
        var pending = PendingOffsets()
        /// Bytes of what its members offer and are assigned.
        var memberBytes = 0
        var timer: Scheduled<Void>?
        var timerDeadline: NIODeadline?
        /// When the last member left, in milliseconds since the epoch; nil while there are members, and for a group that
        /// never had any.
        var emptySince: Int64?
    }

    enum PendingAnswer {
        case join(@Sendable (JoinAnswer) -> Void)
        case sync(@Sendable (SyncAnswer) -> Void)
        case heartbeat(@Sendable (ErrorCode) -> Void)
        case leave(@Sendable ([ErrorCode]) -> Void)
    }

    /// Reads `__consumer_offsets`. Reads the disk.
    init(
        eventLoop: any EventLoop, settings: GroupSettings, topic: OffsetsTopic, clock: BrokerClock, logger: Logger,
        durability: BrokerConfiguration.Durability, limits: BrokerLimits, counters: BrokerCounters
    ) {
        var settings = settings
        settings.maximumMembers = limits.membersPerGroup
        self.eventLoop = eventLoop
        self.settings = settings
        self.topic = topic
        self.clock = clock
        self.logger = logger
        self.waitsForSync = durability == .acknowledged
        self.offsetsTopicBytes = limits.offsetsTopicBytes
        self.limits = limits
        self.counters = counters
        var rooms = Rooms()
        let now = clock.now()
        for (id, memory) in topic.load() where !memory.isEmpty {
            let group = memory.metadata.map {
                ConsumerGroup(id: id, settings: settings, restoring: $0, now: now)
            }
            var room = Room(group: group ?? ConsumerGroup(id: id, settings: settings), offsets: memory.offsets)
            room.pending = memory.pending
            for producerID in memory.pending.byProducer.keys {
                rooms.groupsInTransactions[producerID, default: []].insert(id)
            }
            room.memberBytes = room.group.memberBytes
            rooms.memberBytes += room.memberBytes
            if room.group.isDeserted { room.emptySince = memory.metadata?.currentStateTimestamp }
            rooms.groups[id] = room
        }
        self.rooms = NIOLoopBoundBox.makeBoxSendingValue(rooms, eventLoop: eventLoop)
        eventLoop.execute {
            self.rewriteIfGrown()
            self.expireOffsets()
            for id in self.rooms.value.groups.keys { self.schedule(id) }
        }
    }

    func onLoop(_ work: @escaping @Sendable () -> Void) {
        if self.eventLoop.inEventLoop { work() } else { self.eventLoop.execute(work) }
    }

    // MARK: Membership

    func join(_ attempt: JoinAttempt, group id: String, answer: @escaping @Sendable (JoinAnswer) -> Void) {
        self.onLoop {
            guard !self.rooms.value.isStopping else { return answer(JoinAnswer(error: .coordinatorNotAvailable)) }
            if self.rooms.value.groups[id] == nil {
                guard attempt.memberID.isEmpty else {
                    return answer(JoinAnswer(error: .unknownMemberID, memberID: attempt.memberID))
                }
                guard self.admit(id) else {
                    return answer(JoinAnswer(error: .policyViolation, memberID: attempt.memberID))
                }
            }
            let sizes = attempt.protocols.map { $0.name.utf8.count + $0.metadata.readableBytes }
            guard self.hasRoom(forMemberBytes: [sizes.reduce(0, +)], group: id) else {
                self.forgetIfDeserted(id)
                return answer(JoinAnswer(error: .groupMaxSizeReached, memberID: attempt.memberID))
            }
            let token = self.expect(.join(answer))
            self.handle(.join(attempt, token), group: id)
        }
    }

    func sync(_ attempt: SyncAttempt, group id: String, answer: @escaping @Sendable (SyncAnswer) -> Void) {
        self.onLoop {
            guard self.rooms.value.groups[id] != nil else { return answer(SyncAnswer(error: .unknownMemberID)) }
            guard self.hasRoom(forMemberBytes: attempt.assignments.map(\.bytes.readableBytes), group: id) else {
                return answer(SyncAnswer(error: .groupMaxSizeReached))
            }
            let token = self.expect(.sync(answer))
            self.handle(.sync(attempt, token), group: id)
        }
    }

    func heartbeat(_ caller: GroupCaller, group id: String, answer: @escaping @Sendable (ErrorCode) -> Void) {
        self.onLoop {
            guard self.rooms.value.groups[id] != nil else { return answer(.unknownMemberID) }
            let token = self.expect(.heartbeat(answer))
            self.handle(.heartbeat(caller, token), group: id)
        }
    }

    func leave(_ members: [LeavingMember], group id: String, answer: @escaping @Sendable ([ErrorCode]) -> Void) {
        self.onLoop {
            guard self.rooms.value.groups[id] != nil else { return answer(members.map { _ in .unknownMemberID }) }
            let token = self.expect(.leave(answer))
            self.handle(.leave(members, token), group: id)
        }
    }

    private func expect(_ answer: PendingAnswer) -> GroupReplyToken {
        let token = GroupReplyToken(rawValue: self.rooms.value.nextToken)
        self.rooms.value.nextToken += 1
        self.rooms.value.pending[token] = answer
        return token
    }

    private func handle(_ event: GroupEvent, group id: String) {
        guard var group = self.rooms.value.groups[id]?.group else { return }
        let actions = group.handle(event, now: self.clock.now())
        self.rooms.value.groups[id]?.group = group
        if !group.isDeserted {
            self.rooms.value.groups[id]?.emptySince = nil
        } else if self.rooms.value.groups[id]?.emptySince == nil {
            self.rooms.value.groups[id]?.emptySince = self.clock.wallMilliseconds()
        }
        if case .heartbeat = event {} else { self.countMemberBytes(of: group) }
        for action in actions { self.perform(action, id) }
        self.forgetIfDeserted(id)
        self.schedule(id)
    }

    /// Makes room for a group that is not known yet.
    ///
    /// - Returns: false if there are too many.
    func admit(_ id: String) -> Bool {
        if self.rooms.value.groups[id] != nil { return true }
        guard self.rooms.value.groups.count < self.limits.groups else {
            self.counters.reached(.groups)
            self.logger.warning(
                """
                group \(id.debugDescription) is refused: the limit of \(self.limits.groups) groups is reached \
                (--max-groups); delete some or raise it
                """)
            return false
        }
        self.rooms.value.groups[id] = Room(group: ConsumerGroup(id: id, settings: self.settings))
        return true
    }

    private func perform(_ action: GroupAction, _ id: String) {
        switch action {
        case .answerJoin(let token, let answer):
            if answer.error == .groupMaxSizeReached {
                self.refuseMember(
                    id, .membersPerGroup, "the limit of \(self.limits.membersPerGroup) members per group is reached")
            }
            if case .join(let reply) = self.rooms.value.pending.removeValue(forKey: token) { reply(answer) }
        case .answerSync(let token, let answer):
            if case .sync(let reply) = self.rooms.value.pending.removeValue(forKey: token) { reply(answer) }
        case .answerHeartbeat(let token, let code):
            if case .heartbeat(let reply) = self.rooms.value.pending.removeValue(forKey: token) { reply(code) }
        case .answerLeave(let token, let codes):
            if case .leave(let reply) = self.rooms.value.pending.removeValue(forKey: token) { reply(codes) }
        case .store:
            // In the page cache before anybody is answered. Losing it with the power costs one rebalance, so nobody
            // waits for the disk.
            guard let group = self.rooms.value.groups[id]?.group else { return }
            self.store([.metadata(group.stored(at: self.clock.wallMilliseconds()))], id)
        }
    }

    func store(_ changes: [OffsetsTopic.Change], _ id: String) {
        if case .failure(let refusal) = self.topic.append(changes, group: id, sync: nil) {
            self.complain(id, refusal)
        }
        self.countAppend()
    }

    func complain(_ id: String, _ refusal: Partition.Refusal) {
        let reason = refusal.reason ?? refusal.code.description
        self.logger.error("group \(id.debugDescription) could not be stored: \(reason)")
    }

    /// A group without members and offsets is as good as none.
    func forgetIfDeserted(_ id: String) {
        guard let room = self.rooms.value.groups[id], room.group.isDeserted, room.offsets.isEmpty,
            room.pending.isEmpty
        else { return }
        if room.group.generation > 0 { self.store([.metadata(nil)], id) }
        room.timer?.cancel()
        self.rooms.value.memberBytes -= room.memberBytes
        self.rooms.value.groups[id] = nil
    }

    /// Sees to it that the group is told when its next deadline has passed. A timer that is early enough is left
    /// alone: it finds out what the next deadline is by then.
    private func schedule(_ id: String) {
        guard let room = self.rooms.value.groups[id], let deadline = room.group.nextDeadline else { return }
        if let set = room.timerDeadline, set <= deadline { return }
        room.timer?.cancel()
        let delay = deadline - self.clock.now()
        self.rooms.value.groups[id]?.timerDeadline = deadline
        self.rooms.value.groups[id]?.timer = self.eventLoop.scheduleTask(in: max(.zero, delay)) {
            self.rooms.value.groups[id]?.timer = nil
            self.rooms.value.groups[id]?.timerDeadline = nil
            self.handle(.timePassed, group: id)
        }
    }

    // MARK: Stopping

    /// Answers all who wait; members look for their coordinator again and go on after the restart.
    func stop() {
        self.onLoop {
            self.rooms.value.isStopping = true
            self.rooms.value.expiry?.cancel()
            for id in self.rooms.value.groups.keys {
                self.rooms.value.groups[id]?.timer?.cancel()
                self.rooms.value.groups[id]?.timer = nil
            }
            let pending = self.rooms.value.pending
            self.rooms.value.pending = [:]
            for answer in pending.values {
                switch answer {
                case .join(let reply): reply(JoinAnswer(error: .coordinatorNotAvailable))
                case .sync(let reply): reply(SyncAnswer(error: .coordinatorNotAvailable))
                case .heartbeat(let reply): reply(.coordinatorNotAvailable)
                case .leave(let reply): reply([])
                }
            }
        }
    }
}
