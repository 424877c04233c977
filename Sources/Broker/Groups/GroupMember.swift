import NIOCore

/// One member of a consumer group: a value inside `ConsumerGroup`.
struct GroupMember: Sendable {
    let id: String
    /// Set for a static member (KIP-345), which keeps its place while it restarts.
    var instanceID: String?
    var clientID: String
    var clientHost: String
    var sessionTimeout: TimeAmount
    var rebalanceTimeout: TimeAmount
    /// The protocols the member can follow, most wanted first.
    var protocols: [GroupProtocol]
    /// What the leader assigned to it in this generation.
    var assignment = ByteBuffer()
    /// The JoinGroup that waits for the rebalance to complete.
    var pendingJoin: GroupReplyToken?
    /// The SyncGroup that waits for the leader's assignment.
    var pendingSync: GroupReplyToken?
    /// When the member is lost unless it is heard of before. While it waits for an answer of ours it cannot
    /// speak, so the deadline does not count then.
    var sessionDeadline: NIODeadline

    var isWaiting: Bool { self.pendingJoin != nil || self.pendingSync != nil }

    func metadata(for name: String) -> ByteBuffer? {
        self.protocols.first { $0.name == name }?.metadata
    }

    func supports(_ name: String) -> Bool {
        self.protocols.contains { $0.name == name }
    }

    mutating func heard(now: NIODeadline) {
        self.sessionDeadline = now + self.sessionTimeout
    }
}

/// An assignment strategy that a member offers, with the bytes that only members understand.
struct GroupProtocol: Sendable, Equatable {
    let name: String
    let metadata: ByteBuffer
}

/// Stands for a request that waits for its answer; the coordinator knows which connection it came from.
struct GroupReplyToken: Hashable, Sendable {
    let rawValue: UInt64
}
