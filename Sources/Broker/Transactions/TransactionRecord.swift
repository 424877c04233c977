import KafkaProtocol
import RecordBatch

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

extension TransactionRecord {
    init(_ value: TransactionLogValue) {
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

    var value: TransactionLogValue {
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
