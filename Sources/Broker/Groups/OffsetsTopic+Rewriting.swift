import CommitLog
import KafkaProtocol
import Logging
import RecordBatch

/// Keeps `__consumer_offsets` small: a partition that has grown gets everything that groups remember now, and loses
/// the segments before. Kafka compacts the topic to the same end.
extension OffsetsTopic {
    private static let batchBytes = 256 << 10

    /// The partitions that have grown beyond `limit` bytes and to more than twice what they had after the last time.
    func grown(beyond limit: Int, since lastBytes: [Int32: Int]) -> [Partition] {
        (self.catalog.topic(Topic.offsetsTopicName)?.partitions ?? []).filter { partition in
            partition.byteCount > max(limit, 2 * (lastBytes[partition.index] ?? 0))
        }
    }

    /// - Returns: the bytes of the records written.
    func rewrite(_ partition: Partition, of count: Int, with memories: [String: Memory]) -> Int {
        do {
            let base = try partition.beginRewrite()
            var bytes = 0
            for (group, memory) in memories where Topic.partitionIndex(of: group, among: count) == partition.index {
                for batch in try self.encode(memory.changes, group: group, batchBytes: Self.batchBytes) {
                    bytes += batch.header.totalByteCount
                    _ = try partition.append(batch, as: .broker, sync: nil)
                }
            }
            bytes += try self.rewritePending(partition, of: count, with: memories)
            partition.finishRewrite(from: base)
            return bytes
        } catch {
            self.logger.error("\(partition.name) could not be rewritten: \(error)")
            return partition.byteCount
        }
    }
}

extension OffsetsTopic {
    /// What open transactions commit stays part of them. Oldest first, as of two for one partition the later one counts.
    private func rewritePending(
        _ partition: Partition, of count: Int, with memories: [String: Memory]
    ) throws -> Int {
        var pending: [(group: String, producer: ProducerIdentity, name: PartitionName, offset: PendingOffset)] = []
        for (group, memory) in memories where Topic.partitionIndex(of: group, among: count) == partition.index {
            for (producerID, offsets) in memory.pending.byProducer {
                for (name, offset) in offsets {
                    let producer = ProducerIdentity(producerID: producerID, epoch: offset.epoch)
                    pending.append((group, producer, name, offset))
                }
            }
        }
        var bytes = 0
        for one in pending.sorted(by: { $0.offset.appendedAt < $1.offset.appendedAt }) {
            for batch in try self.encode([.offset(one.name, one.offset.committed)], group: one.group, in: one.producer)
            {
                bytes += batch.header.totalByteCount
                _ = try partition.append(batch, as: .broker, sync: nil)
            }
        }
        return bytes
    }
}

extension OffsetsTopic.Memory {
    var changes: [OffsetsTopic.Change] {
        var changes = self.offsets.byPartition.map { OffsetsTopic.Change.offset($0, $1) }
        if let metadata { changes.append(.metadata(metadata)) }
        return changes
    }
}
