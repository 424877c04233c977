import KafkaProtocol
import NIOCore
import RecordBatch

// Records of `__transaction_state`, in Kafka's format. Key and value begin with an int16 version:
//
//     key 0: transactional id    value 0: producer id and epoch, timeout, state, partitions, times
//
// The last record of a transactional id counts; one without a value removes it.

/// What must be remembered of a transactional id over restarts, and is stored in `__transaction_state`. A value.
struct TransactionRecord: Sendable, Equatable {
    /// -1 before the first one is given out.
    var producerID: Int64 = -1
    /// -1 before the first one is given out.
    var epoch: Int16 = -1
    /// The epoch that a producer named to get the present one, which it may ask for again; -1 for none. Not stored.
    var lastEpoch: Int16 = -1
    /// The id before this one, whose epochs were used up; -1 for none. Not stored.
    var lastProducerID: Int64 = -1
    var timeoutMilliseconds: Int32 = 0
    var state = TransactionState.empty
    var partitions: Set<PartitionName> = []
    /// When the transaction began, in milliseconds since the epoch; -1 if none has.
    var startedAt: Int64 = -1
    /// In milliseconds since the epoch.
    var updatedAt: Int64 = -1

    /// One epoch is left for fencing.
    var isEpochExhausted: Bool { Self.isExhausted(self.epoch) }

    static func isExhausted(_ epoch: Int16) -> Bool { epoch >= .max - 1 }
}

// MARK: As stored

extension TransactionRecord {
    private static let keyVersion: Int16 = 0
    private static let valueVersion: Int16 = 0

    /// What a record says.
    ///
    /// - Returns: the id and what is to be remembered of it, nil where it is removed. Nothing for a key that is of no version
    ///   known here, which Kafka skips, too.
    static func read(key: ByteBuffer, value: ByteBuffer?) throws(ProtocolError) -> (id: String, record: Self?)? {
        guard TransactionLogKey.version(of: key) == Self.keyVersion else { return nil }
        let id = try TransactionLogKey(versioned: key).transactionalID
        guard let value else { return (id, nil) }
        return (id, TransactionRecord(try TransactionLogValue(versioned: value)))
    }

    static func key(of id: String) throws(ProtocolError) -> ByteBuffer {
        try TransactionLogKey(transactionalID: id).versionedBytes(version: Self.keyVersion)
    }

    func valueBytes() throws(ProtocolError) -> ByteBuffer {
        try self.value.versionedBytes(version: Self.valueVersion)
    }

    private init(_ value: TransactionLogValue) {
        self.producerID = value.producerID
        self.epoch = value.producerEpoch
        self.timeoutMilliseconds = value.transactionTimeoutMs
        self.state = TransactionState(rawValue: value.transactionStatus) ?? .dead
        for topic in value.transactionPartitions ?? [] {
            for index in topic.partitionIDs {
                self.partitions.insert(PartitionName(topic: topic.topic, partition: index))
            }
        }
        self.startedAt = value.transactionStartTimestampMs
        self.updatedAt = value.transactionLastUpdateTimestampMs
    }

    private var value: TransactionLogValue {
        TransactionLogValue(
            producerID: self.producerID, producerEpoch: self.epoch, transactionTimeoutMs: self.timeoutMilliseconds,
            transactionStatus: self.state.rawValue,
            transactionPartitions: self.state == .empty
                ? nil : self.topics.map { .init(topic: $0.topic, partitionIDs: $0.partitions) },
            transactionLastUpdateTimestampMs: self.updatedAt, transactionStartTimestampMs: self.startedAt)
    }

    /// The partitions by topic, in order.
    var topics: [(topic: String, partitions: [Int32])] {
        Dictionary(grouping: self.partitions, by: \.topic).sorted { $0.key < $1.key }
            .map { ($0.key, $0.value.map(\.partition).sorted()) }
    }
}
