import KafkaProtocol
import NIOCore
import OrderedCollections

@testable import Broker

/// Drives one consumer group with events and remembers its answers. Time stands still unless the test moves it.
struct GroupBench {
    var group: ConsumerGroup
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var nextToken: UInt64 = 0
    private var nextID = 0
    private(set) var joins: [GroupReplyToken: JoinAnswer] = [:]
    private(set) var syncs: [GroupReplyToken: SyncAnswer] = [:]
    private(set) var heartbeats: [GroupReplyToken: ErrorCode] = [:]
    private(set) var leaves: [GroupReplyToken: [ErrorCode]] = [:]
    private(set) var stores = 0

    init(initialDelay: TimeAmount = .zero, maximumMembers: Int = 10) {
        var settings = GroupSettings(initialRebalanceDelay: initialDelay)
        settings.maximumMembers = maximumMembers
        self.group = ConsumerGroup(id: "g", settings: settings)
    }

    private mutating func handle(_ event: (GroupReplyToken) -> GroupEvent) -> GroupReplyToken {
        let token = GroupReplyToken(rawValue: self.nextToken)
        self.nextToken += 1
        self.carryOut(self.group.handle(event(token), now: self.now))
        return token
    }

    private mutating func carryOut(_ actions: [GroupAction]) {
        for action in actions {
            switch action {
            case .answerJoin(let token, let answer): self.joins[token] = answer
            case .answerSync(let token, let answer): self.syncs[token] = answer
            case .answerHeartbeat(let token, let code): self.heartbeats[token] = code
            case .answerLeave(let token, let codes): self.leaves[token] = codes
            case .store: self.stores += 1
            }
        }
    }

    static func metadata(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    /// Asks to join; new members get the ids "m1", "m2", …
    mutating func join(
        _ memberID: String = "", instance: String? = nil, mustKnowItsID: Bool = false,
        session: TimeAmount = .seconds(10),
        rebalance: TimeAmount = .seconds(60), type: String = "consumer", protocols: [String] = ["range"],
        metadata: String = "all"
    ) -> GroupReplyToken {
        if memberID.isEmpty { self.nextID += 1 }
        let attempt = JoinAttempt(
            memberID: memberID, instanceID: instance, freshMemberID: "m\(self.nextID)", mustKnowItsID: mustKnowItsID,
            clientID: "client", clientHost: "host", sessionTimeout: session, rebalanceTimeout: rebalance,
            protocolType: type,
            protocols: protocols.map { GroupProtocol(name: $0, metadata: Self.metadata(metadata)) })
        return self.handle { .join(attempt, $0) }
    }

    mutating func sync(
        _ memberID: String, generation: Int32? = nil, instance: String? = nil, protocolName: String? = nil,
        assigning assignments: [String: String] = [:]
    ) -> GroupReplyToken {
        let attempt = SyncAttempt(
            caller: GroupCaller(
                memberID: memberID, instanceID: instance, generation: generation ?? self.group.generation),
            protocolType: nil, protocolName: protocolName,
            assignments: assignments.map { ($0.key, ByteBuffer(string: $0.value)) })
        return self.handle { .sync(attempt, $0) }
    }

    mutating func heartbeat(_ memberID: String, generation: Int32? = nil, instance: String? = nil) -> ErrorCode? {
        let caller = GroupCaller(
            memberID: memberID, instanceID: instance, generation: generation ?? self.group.generation)
        return self.heartbeats[self.handle { .heartbeat(caller, $0) }]
    }

    mutating func leave(_ memberID: String, instance: String? = nil) -> ErrorCode? {
        let token = self.handle { .leave([LeavingMember(memberID: memberID, instanceID: instance)], $0) }
        return self.leaves[token]?.first
    }

    /// Moves the clock from deadline to deadline, as the coordinator's timer does.
    mutating func wait(_ amount: TimeAmount) {
        let end = self.now + amount
        while let deadline = self.group.nextDeadline, deadline <= end {
            self.now = max(self.now, deadline)
            self.carryOut(self.group.handle(.timePassed, now: self.now))
            if let next = self.group.nextDeadline, next <= deadline { break }  // it would never end
        }
        self.now = end
    }

    /// A stable group of `count` members "m1", …, led by "m1", each assigned its own id.
    static func stable(_ count: Int, session: TimeAmount = .seconds(10), rebalance: TimeAmount = .seconds(60))
        -> GroupBench
    {
        var bench = GroupBench()
        for _ in 0..<count { _ = bench.join(session: session, rebalance: rebalance) }
        bench.rejoinAll(session: session, rebalance: rebalance)
        bench.syncAll()
        return bench
    }

    mutating func rejoinAll(session: TimeAmount = .seconds(10), rebalance: TimeAmount = .seconds(60)) {
        for id in self.group.members.keys where self.group.members[id]?.pendingJoin == nil {
            guard case .preparingRebalance = self.group.phase else { return }
            _ = self.join(id, session: session, rebalance: rebalance)
        }
    }

    mutating func syncAll() {
        let ids = Array(self.group.members.keys)
        for id in ids where id != self.group.leaderID { _ = self.sync(id) }
        guard let leader = self.group.leaderID else { return }
        _ = self.sync(leader, assigning: Dictionary(uniqueKeysWithValues: ids.map { ($0, $0) }))
    }
}
