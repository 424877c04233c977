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
// partition `abs(hash(group)) % partitions`, with Java's string hash.

/// Reads and writes what groups must remember across restarts. Any thread may call it.
struct OffsetsTopic: Sendable {
    private static let offsetKeyVersion: Int16 = 1
    private static let offsetValueVersion: Int16 = 3
    private static let groupKeyVersion: Int16 = 2
    private static let groupValueVersion: Int16 = 3

    let catalog: Catalog
    let clock: BrokerClock
    let logger: Logger

    /// What the topic says of one group.
    struct Memory: Sendable {
        var metadata: GroupMetadataValue?
        var offsets: [PartitionName: CommittedOffset] = [:]
    }

    enum Change {
        case offset(PartitionName, CommittedOffset?)
        case metadata(GroupMetadataValue?)
    }

    // MARK: Writing

    /// Appends changes of one group in one batch.
    ///
    /// - Parameter sync: told when they are on the disk; nil if nobody waits for that.
    /// - Returns: an error, or whether `sync` will be told.
    func append(
        _ changes: [Change], group: String, sync: SyncWait?
    ) -> Result<Partition.Receipt, Partition.Refusal> {
        Result { () throws(Partition.Refusal) in
            let batches: [EncodedBatch]
            do {
                batches = try self.encode(changes, group: group)
            } catch {
                throw Partition.Refusal(.unknownServerError, "\(error)")
            }
            guard let batch = batches.first else { throw Partition.Refusal(.unknownServerError, "nothing to store") }
            return try self.partition(for: group).append(batch, as: .broker, sync: sync)
        }
    }

    private func partition(for group: String) throws(Partition.Refusal) -> Partition {
        let topic: Topic
        do throws(TopicRefusal) {
            topic = try self.catalog.topicCreatingIfNeeded(Topic.offsetsTopicName)
        } catch {
            throw Partition.Refusal(.coordinatorNotAvailable, error.reason)
        }
        let index = self.partitionIndex(of: group, among: topic.partitions.count)
        guard let partition = topic.partition(index) else { throw Partition.Refusal(.coordinatorNotAvailable, nil) }
        return partition
    }

    /// The partition that holds all records of a group.
    func partitionIndex(of group: String, among count: Int) -> Int32 {
        (Self.javaHash(group) & Int32.max) % max(1, Int32(clamping: count))
    }

    /// Java's `String.hashCode`, over UTF-16 units.
    static func javaHash(_ text: String) -> Int32 {
        text.utf16.reduce(0) { $0 &* 31 &+ Int32($1) }
    }

    /// - Parameter batchBytes: begins a new batch when one has this many bytes; nil for one batch.
    func encode(_ changes: [Change], group: String, batchBytes: Int? = nil) throws -> [EncodedBatch] {
        var batches: [EncodedBatch] = []
        var builder = RecordBatchBuilder(compression: .none)
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
                try metadata?.versionedBytes(version: Self.groupValueVersion)
            )
        }
    }

    // MARK: Reading

    /// Reads the whole topic. Reads the disk.
    func load() -> [String: Memory] {
        var memories: [String: Memory] = [:]
        for partition in self.catalog.topic(Topic.offsetsTopicName)?.partitions ?? [] {
            do {
                try self.load(partition, into: &memories)
            } catch {
                self.logger.error("\(partition.name): committed offsets could not all be read: \(error)")
            }
        }
        return memories
    }

    private func load(_ partition: Partition, into memories: inout [String: Memory]) throws {
        var next = partition.offsets.start
        let end = partition.offsets.end
        while next < end {
            let bytes = try partition.readAll(from: next, maximumBytes: 1 << 20)
            let (batches, _) = try EncodedBatch.split(bytes)
            for batch in batches where batch.header.nextOffset > next {
                if !batch.header.isControl {
                    for record in try batch.records() where record.offset >= next {
                        self.apply(record, partition, to: &memories)
                    }
                }
            }
            guard let last = batches.last, last.header.nextOffset > next else { return }
            next = last.header.nextOffset
        }
    }

    private func apply(_ record: Record, _ partition: Partition, to memories: inout [String: Memory]) {
        guard let key = record.key, let version = OffsetCommitKey.version(of: key) else { return }
        do throws(ProtocolError) {
            switch version {
            case 0...Self.offsetKeyVersion:
                let key = try OffsetCommitKey(versioned: key)
                let name = PartitionName(topic: key.topic, partition: key.partition)
                if let value = record.value {
                    let value = try OffsetCommitValue(versioned: value)
                    memories[key.group, default: Memory()].offsets[name] = CommittedOffset(
                        offset: value.offset, leaderEpoch: value.leaderEpoch, metadata: value.metadata,
                        commitTimestamp: value.commitTimestamp)
                } else {
                    memories[key.group]?.offsets[name] = nil
                }
            case Self.groupKeyVersion:
                let key = try GroupMetadataKey(versioned: key)
                if let value = record.value {
                    memories[key.group, default: Memory()].metadata = try GroupMetadataValue(versioned: value)
                } else {
                    memories[key.group]?.metadata = nil
                }
            default:
                break  // Kafka skips what it does not know, too.
            }
        } catch {
            self.logger.warning("\(partition.name): the record at offset \(record.offset) is not understood: \(error)")
        }
    }
}
