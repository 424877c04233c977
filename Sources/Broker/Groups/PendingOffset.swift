import RecordBatch

/// An offset that a transaction commits for a group: it counts once the transaction is committed. A value.
struct PendingOffset: Sendable, Equatable {
    var committed: CommittedOffset
    /// The producer's.
    var epoch: Int16
    /// Where the record is in `__consumer_offsets`: of two commits for one partition the later one counts, whichever
    /// transaction ends first.
    var appendedAt: Offset
}

/// The offsets that transactions commit for one group, by their producers' ids. A value.
struct PendingOffsets: Sendable, Equatable {
    private(set) var byProducer: [Int64: [PartitionName: PendingOffset]] = [:]
    /// Bytes that they take in memory, roughly.
    private(set) var byteCount = 0

    var isEmpty: Bool { self.byProducer.isEmpty }

    /// The partitions whose offset may change once a transaction ends.
    var partitions: Set<PartitionName> { Set(self.byProducer.values.flatMap(\.keys)) }

    mutating func add(_ name: PartitionName, _ offset: PendingOffset, producerID: Int64) {
        self.byteCount += offset.committed.byteCount(for: name)
        if let replaced = self.byProducer[producerID, default: [:]].updateValue(offset, forKey: name) {
            self.byteCount -= replaced.committed.byteCount(for: name)
        }
    }

    /// Something was committed for the partition at `offset` of the log, which supersedes what came before.
    mutating func supersede(_ name: PartitionName, before offset: Offset) {
        guard !self.isEmpty else { return }
        for (producerID, offsets) in self.byProducer {
            if let pending = offsets[name], pending.appendedAt < offset { self.remove(name, of: producerID) }
        }
    }

    /// Nothing is to be committed for the partition any more.
    mutating func forget(_ name: PartitionName) {
        for producerID in self.byProducer.keys { self.remove(name, of: producerID) }
    }

    private mutating func remove(_ name: PartitionName, of producerID: Int64) {
        guard let removed = self.byProducer[producerID]?.removeValue(forKey: name) else { return }
        self.byteCount -= removed.committed.byteCount(for: name)
        if self.byProducer[producerID]?.isEmpty ?? false { self.byProducer[producerID] = nil }
    }

    /// Ends a producer's transaction.
    ///
    /// - Returns: what counts from now on.
    mutating func end(producerID: Int64, isCommit: Bool) -> [PartitionName: CommittedOffset] {
        guard let offsets = self.byProducer.removeValue(forKey: producerID) else { return [:] }
        for (name, offset) in offsets { self.byteCount -= offset.committed.byteCount(for: name) }
        guard isCommit else { return [:] }
        for (name, offset) in offsets { self.supersede(name, before: offset.appendedAt) }
        return offsets.mapValues(\.committed)
    }
}
