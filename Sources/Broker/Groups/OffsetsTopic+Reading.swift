import CommitLog
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch

/// Reading back what groups must remember.
extension OffsetsTopic {
    /// Reads the whole topic. Reads the disk.
    func load() -> [String: Memory] {
        var memories: [String: Memory] = [:]
        for partition in self.catalog.topic(Topic.offsetsTopicName)?.partitions ?? [] {
            var reading = Reading(name: partition.name, logger: self.logger)
            do {
                try partition.forEachBatch { try reading.take($0) }
            } catch {
                self.logger.error("\(partition.name): committed offsets could not all be read: \(error)")
            }
            // A group's records are all in one partition.
            memories.merge(reading.memories) { $1 }
        }
        return memories
    }

    /// One partition's records, one batch after the other.
    private struct Reading {
        let name: String
        let logger: Logger
        var memories: [String: Memory] = [:]
        /// The groups of transactions that have not ended, by their producers' ids.
        private var groups: [Int64: Set<String>] = [:]

        init(name: String, logger: Logger) {
            self.name = name
            self.logger = logger
        }

        mutating func take(_ batch: EncodedBatch) throws {
            let header = batch.header
            if header.isControl {
                guard let key = try batch.records().first?.key, let type = ControlRecordType(controlKey: key) else {
                    return
                }
                for group in self.groups.removeValue(forKey: header.producerID) ?? [] {
                    guard
                        let committed = self.memories[group]?.pending.end(
                            producerID: header.producerID, isCommit: type == .commit)
                    else { continue }
                    self.memories[group]?.offsets.merge(committed)
                }
                return
            }
            for record in try batch.records() {
                do throws(ProtocolError) {
                    try self.take(record, header)
                } catch {
                    self.logger.warning(
                        "\(self.name): the record at offset \(record.offset) is not understood: \(error)")
                }
            }
        }

        private mutating func take(_ record: Record, _ header: RecordBatchHeader) throws(ProtocolError) {
            guard let key = record.key, let version = OffsetCommitKey.version(of: key) else { return }
            switch version {
            case 0...OffsetsTopic.offsetKeyVersion:
                let key = try OffsetCommitKey(versioned: key)
                let name = PartitionName(topic: key.topic, partition: key.partition)
                try self.take(record, of: key.group, name, header)
            case OffsetsTopic.groupKeyVersion:
                let key = try GroupMetadataKey(versioned: key)
                if let value = record.value {
                    self.memories[key.group, default: Memory()].metadata = try GroupMetadataValue(versioned: value)
                } else {
                    self.memories[key.group]?.metadata = nil
                }
            default:
                break  // Kafka skips what it does not know, too.
            }
        }

        private mutating func take(
            _ record: Record, of group: String, _ name: PartitionName, _ header: RecordBatchHeader
        ) throws(ProtocolError) {
            guard let value = record.value else {
                self.memories[group]?.offsets[name] = nil
                self.memories[group]?.pending.supersede(name, before: record.offset)
                return
            }
            let stored = try OffsetCommitValue(versioned: value)
            let committed = CommittedOffset(
                offset: stored.offset, leaderEpoch: stored.leaderEpoch, metadata: stored.metadata,
                commitTimestamp: stored.commitTimestamp)
            if header.isTransactional {
                let pending = PendingOffset(
                    committed: committed, epoch: header.producerEpoch, appendedAt: header.baseOffset)
                self.memories[group, default: Memory()].pending.add(name, pending, producerID: header.producerID)
                self.groups[header.producerID, default: []].insert(group)
            } else {
                self.memories[group, default: Memory()].offsets[name] = committed
                self.memories[group]?.pending.supersede(name, before: record.offset)
            }
        }
    }
}

extension ControlRecordType {
    /// What a control batch does, by its record's key; nil for what we do not know.
    init?(controlKey key: ByteBuffer) {
        guard let key = try? ControlRecordKey(versioned: key, acceptingNewer: true) else { return nil }
        self.init(rawValue: key.type)
    }
}

extension Partition {
    /// Visits all batches, also those that consumers do not see yet, front to back. Reads the disk.
    func forEachBatch(_ body: (EncodedBatch) throws -> Void) throws {
        var next = self.offsets.start
        let end = self.offsets.end
        while next < end {
            let bytes = try self.readAll(from: next, maximumBytes: 1 << 20)
            let (batches, _) = try EncodedBatch.split(bytes)
            for batch in batches where batch.header.nextOffset > next { try body(batch) }
            guard let last = batches.last, last.header.nextOffset > next else { return }
            next = last.header.nextOffset
        }
    }
}
