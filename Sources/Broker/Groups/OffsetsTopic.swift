import CommitLog
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch

// Records of `__consumer_offsets`, in Kafka's format. Key and value begin with an int16 version:
//
//     key 0–1: group, topic, partition   value 1–3: offset, leader epoch, metadata, commit timestamp
//     key 2:   group                     value 0–3: protocol, generation, leader, members with assignments
//
// The last record of a key counts; one without a value removes what it names. A group's records are all in the
// partition `abs(hash(group)) % partitions`, with Java's string hash. Offsets in a transactional batch count once its
// producer's commit marker follows.

/// Reads and writes what groups must remember across restarts. Any thread may call it.
struct OffsetsTopic: Sendable {
    static let offsetKeyVersion: Int16 = 1
    private static let offsetValueVersion: Int16 = 3
    static let groupKeyVersion: Int16 = 2

    let catalog: Catalog
    let clock: BrokerClock
    let logger: Logger

    /// What the topic says of one group.
    struct Memory: Sendable {
        var metadata: GroupMetadataValue?
        var offsets = CommittedOffsets()
        /// What transactions commit that have not ended.
        var pending = PendingOffsets()

        var isEmpty: Bool { self.metadata == nil && self.offsets.isEmpty && self.pending.isEmpty }
    }

    enum Change {
        case offset(PartitionName, CommittedOffset?)
        case metadata(GroupMetadataValue?)
    }

    // MARK: Writing

    /// Appends changes of one group in one batch.
    ///
    /// - Parameters:
    ///   - producer: in whose transaction; nil for none.
    ///   - sync: told when they are on the disk; nil if nobody waits for that.
    /// - Returns: an error, or whether `sync` will be told.
    func append(
        _ changes: [Change], group: String, in producer: ProducerIdentity? = nil, sync: SyncWait?
    ) -> Result<Partition.Receipt, Partition.Refusal> {
        Result { () throws(Partition.Refusal) in
            let batches: [EncodedBatch]
            do {
                batches = try self.encode(changes, group: group, in: producer)
            } catch {
                throw Partition.Refusal(.unknownServerError, "\(error)")
            }
            guard let batch = batches.first else { throw Partition.Refusal(.unknownServerError, "nothing to store") }
            return try self.partition(for: group).append(batch, as: .broker, sync: sync)
        }
    }

    func partition(for group: String) throws(Partition.Refusal) -> Partition {
        let topic: Topic
        do throws(TopicRefusal) {
            topic = try self.catalog.topicCreatingIfNeeded(Topic.offsetsTopicName)
        } catch {
            throw Partition.Refusal(.coordinatorNotAvailable, error.reason)
        }
        let index = Topic.partitionIndex(of: group, among: topic.partitions.count)
        guard let partition = topic.partition(index) else { throw Partition.Refusal(.coordinatorNotAvailable, nil) }
        return partition
    }

    /// - Parameters:
    ///   - producer: in whose transaction; nil for none.
    ///   - batchBytes: begins a new batch when one has this many bytes; nil for one batch.
    func encode(
        _ changes: [Change], group: String, in producer: ProducerIdentity? = nil, batchBytes: Int? = nil
    ) throws -> [EncodedBatch] {
        var batches: [EncodedBatch] = []
        // As in Kafka the sequence number is 0 always: nobody sends such a batch twice.
        var builder = RecordBatchBuilder(
            compression: .none, producerID: producer?.producerID ?? -1, producerEpoch: producer?.epoch ?? -1,
            baseSequence: producer == nil ? -1 : 0, isTransactional: producer != nil)
        let now = self.clock.wallMilliseconds()
        for change in changes {
            let (key, value) = try self.encode(change, group: group)
            builder.append(timestamp: now, key: key, value: value)
            if let batchBytes, builder.estimatedBytes >= batchBytes { batches.append(try builder.finish()) }
        }
        if !builder.isEmpty { batches.append(try builder.finish()) }
        return batches
    }

    private func encode(_ change: Change, group: String) throws(ProtocolError) -> (ByteBuffer, ByteBuffer?) {
        switch change {
        case .offset(let name, let committed):
            let key = OffsetCommitKey(group: group, topic: name.topic, partition: name.partition)
            let value = committed.map {
                OffsetCommitValue(
                    offset: $0.offset, leaderEpoch: $0.leaderEpoch, metadata: $0.metadata,
                    commitTimestamp: $0.commitTimestamp)
            }
            return (
                try key.versionedBytes(version: Self.offsetKeyVersion),
                try value?.versionedBytes(version: Self.offsetValueVersion)
            )
        case .metadata(let metadata):
            return (
                try GroupMetadataKey(group: group).versionedBytes(version: Self.groupKeyVersion),
                try metadata.map { (value) throws(ProtocolError) in
                    try value.versionedBytes(version: value.oldestVersion)
                }
            )
        }
    }
}

extension GroupMetadataValue {
    /// The oldest version of the record that holds all of it, which the most readers know: Burrow 1.2 knows 0 and 1.
    fileprivate var oldestVersion: Int16 {
        if self.members.contains(where: { $0.groupInstanceID != nil }) { return 3 }
        // Since when a group is empty is what its offsets' age is counted from.
        return self.members.isEmpty ? 2 : 1
    }
}
