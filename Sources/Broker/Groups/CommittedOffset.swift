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

    /// What it takes in memory, roughly, with the partition it is for: the two strings on the heap, and its place in a dictionary.
    func byteCount(for name: PartitionName) -> Int { 160 + name.topic.utf8.count + self.metadata.utf8.count }
}

/// A partition by the names in requests and records; not checked, so it may name one that does not exist.
struct PartitionName: Hashable, Sendable, Comparable {
    var topic: String
    var partition: Int32

    static func < (one: PartitionName, other: PartitionName) -> Bool {
        (one.topic, one.partition) < (other.topic, other.partition)
    }
}

/// The offsets that one group has committed, and what they take. A value.
struct CommittedOffsets: Sendable, Equatable {
    private(set) var byPartition: [PartitionName: CommittedOffset] = [:]
    /// Bytes that they take in memory, roughly.
    private(set) var byteCount = 0

    var isEmpty: Bool { self.byPartition.isEmpty }

    subscript(name: PartitionName) -> CommittedOffset? {
        get { self.byPartition[name] }
        set {
            self.byteCount += newValue?.byteCount(for: name) ?? 0
            self.byteCount -= self.byPartition[name]?.byteCount(for: name) ?? 0
            self.byPartition[name] = newValue
        }
    }

    /// Takes newer ones.
    mutating func merge(_ newer: [PartitionName: CommittedOffset]) {
        for (name, offset) in newer { self[name] = offset }
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
