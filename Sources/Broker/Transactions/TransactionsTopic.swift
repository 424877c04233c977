import CommitLog
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch

/// Reads and writes what transactional ids must remember across restarts: records of `__transaction_state`, all of one id in
/// the partition `abs(hash(id)) % partitions`, with Java's string hash. Any thread may call it.
struct TransactionsTopic: Sendable {
    private static let batchBytes = 256 << 10

    let catalog: Catalog
    let clock: BrokerClock
    let logger: Logger

    /// Creates the topic if it is not there yet. Writes the disk.
    func create() throws(TopicRefusal) {
        _ = try self.catalog.topicCreatingIfNeeded(Topic.transactionsTopicName)
    }

    /// Appends one id's record; nil removes the id.
    ///
    /// - Parameter sync: told when it is on the disk; nil if nobody waits for that.
    /// - Returns: whether `sync` will be told.
    func append(_ record: TransactionRecord?, id: String, sync: SyncWait?) throws(Partition.Refusal) -> Bool {
        let batch: EncodedBatch
        do {
            var builder = RecordBatchBuilder()
            try self.write(record, id: id, to: &builder)
            batch = try builder.finish()
        } catch {
            throw Partition.Refusal(.unknownServerError, "\(error)")
        }
        return try self.partition(for: id).append(batch, as: .broker, sync: sync).waitsForSync
    }

    private func write(_ record: TransactionRecord?, id: String, to builder: inout RecordBatchBuilder) throws {
        builder.append(
            timestamp: self.clock.wallMilliseconds(),
            key: try TransactionRecord.key(of: id), value: try record?.valueBytes())
    }

    private func partition(for id: String) throws(Partition.Refusal) -> Partition {
        let topic: Topic
        do throws(TopicRefusal) {
            topic = try self.catalog.topicCreatingIfNeeded(Topic.transactionsTopicName)
        } catch {
            throw Partition.Refusal(.coordinatorNotAvailable, error.reason)
        }
        guard let partition = topic.partition(Topic.partitionIndex(of: id, among: topic.partitions.count)) else {
            throw Partition.Refusal(.coordinatorNotAvailable, nil)
        }
        return partition
    }

    // MARK: Reading

    /// Reads the whole topic. Reads the disk.
    func load() -> [String: TransactionRecord] {
        var records: [String: TransactionRecord] = [:]
        for partition in self.catalog.topic(Topic.transactionsTopicName)?.partitions ?? [] {
            do {
                try partition.forEachBatch { batch in
                    guard !batch.header.isControl else { return }
                    for record in try batch.records() { self.apply(record, partition, to: &records) }
                }
            } catch {
                self.logger.error("\(partition.name): transactions could not all be read: \(error)")
            }
        }
        return records
    }

    private func apply(_ record: Record, _ partition: Partition, to records: inout [String: TransactionRecord]) {
        guard let key = record.key else { return }
        do throws(ProtocolError) {
            guard let (id, stored) = try TransactionRecord.read(key: key, value: record.value) else { return }
            records[id] = stored
        } catch {
            self.logger.warning("\(partition.name): the record at offset \(record.offset) is not understood: \(error)")
        }
    }

    // MARK: Keeping it small

    /// The partitions that have grown beyond `limit` bytes and to more than twice what they had after the last time.
    func grown(beyond limit: Int, since lastBytes: [Int32: Int]) -> [Partition] {
        (self.catalog.topic(Topic.transactionsTopicName)?.partitions ?? []).filter { partition in
            partition.byteCount > max(limit, 2 * (lastBytes[partition.index] ?? 0))
        }
    }

    /// Writes everything that ids remember now behind what is there, which then goes.
    ///
    /// - Returns: the bytes of the records written.
    func rewrite(_ partition: Partition, of count: Int, with records: [String: TransactionRecord]) -> Int {
        do {
            let base = try partition.beginRewrite()
            var bytes = 0
            var builder = RecordBatchBuilder()
            func flush() throws {
                guard !builder.isEmpty else { return }
                let batch = try builder.finish()
                bytes += batch.header.totalByteCount
                _ = try partition.append(batch, as: .broker, sync: nil)
            }
            for (id, record) in records where Topic.partitionIndex(of: id, among: count) == partition.index {
                try self.write(record, id: id, to: &builder)
                if builder.estimatedBytes >= Self.batchBytes { try flush() }
            }
            try flush()
            partition.finishRewrite(from: base)
            return bytes
        } catch {
            self.logger.error("\(partition.name) could not be rewritten: \(error)")
            return partition.byteCount
        }
    }
}
