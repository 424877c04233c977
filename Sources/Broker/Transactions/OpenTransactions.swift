import KafkaProtocol
import Synchronization

/// Which partitions producers may write to in the transactions that are open: what the coordinator has stored, for the
/// partitions to ask before a batch begins a transaction in one of them. Any thread may ask, also with a partition's lock held,
/// which is what keeps a late batch from opening a transaction that nobody would ever end (KIP-890); the coordinator
/// changes it, before it answers a producer, and before it writes markers.
final class OpenTransactions: Sendable {
    private struct Transaction {
        var epoch: Int16
        var partitions: Set<PartitionName>
    }

    private let transactions = Mutex<[Int64: Transaction]>([:])

    /// Adds partitions to a producer's transaction, and begins it with the first ones.
    func allow(_ partitions: some Sequence<PartitionName>, producerID: Int64, epoch: Int16) {
        self.transactions.withLock { transactions in
            if transactions[producerID]?.epoch == epoch {
                transactions[producerID]?.partitions.formUnion(partitions)
            } else {
                transactions[producerID] = Transaction(epoch: epoch, partitions: Set(partitions))
            }
        }
    }

    /// The transaction takes no more batches.
    func close(producerID: Int64) {
        self.transactions.withLock { $0[producerID] = nil }
    }

    /// Why a batch may not begin the producer's transaction in a partition; nil if it may.
    func refusal(producerID: Int64, epoch: Int16, partition: PartitionName) -> Partition.Refusal? {
        self.transactions.withLock { transactions in
            guard let transaction = transactions[producerID] else {
                return Partition.Refusal(.invalidTxnState, "producer \(producerID) has no open transaction")
            }
            guard epoch >= transaction.epoch else {
                return Partition.Refusal(.invalidProducerEpoch, "a later epoch of producer \(producerID) is known")
            }
            guard epoch == transaction.epoch, transaction.partitions.contains(partition) else {
                return Partition.Refusal(
                    .invalidTxnState,
                    "\(partition.topic)-\(partition.partition) is not in the transaction of producer \(producerID)")
            }
            return nil
        }
    }
}
