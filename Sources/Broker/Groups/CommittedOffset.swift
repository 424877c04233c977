import KafkaProtocol

/// An offset that a group has committed for one partition. A value.
struct CommittedOffset: Sendable, Equatable {
    var offset: Int64
    /// -1 if the client did not say.
    var leaderEpoch: Int32
    /// The client's own words.
    var metadata: String
    /// Milliseconds since the epoch.
    var commitTimestamp: Int64
}

/// A partition by the names in requests and records; not checked, so it may name one that does not exist.
struct PartitionName: Hashable, Sendable, Comparable {
    var topic: String
    var partition: Int32

    static func < (one: PartitionName, other: PartitionName) -> Bool {
        (one.topic, one.partition) < (other.topic, other.partition)
    }
}

/// What a group has committed, and the partitions for which open transactions commit something. A value.
struct GroupOffsets: Sendable {
    var committed: [PartitionName: CommittedOffset] = [:]
    var unstable: Set<PartitionName> = []

    /// For a client that does or does not ask for stable offsets.
    func stable(_ isRequired: Bool) -> GroupOffsets {
        isRequired ? self : GroupOffsets(committed: self.committed)
    }
}
