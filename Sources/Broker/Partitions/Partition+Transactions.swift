import CommitLog
import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization

/// What transactions need of a partition.
extension Partition {
    /// Appends the marker that ends a producer's transaction here. One that was appended before, as when the broker was
    /// killed in between, is not appended again.
    ///
    /// - Parameter sync: told once the marker is on the disk; nil if nobody waits for that.
    /// - Returns: whether `sync` will be told.
    func endTransaction(_ end: TransactionEnd, sync: SyncWait?) throws(Refusal) -> Bool {
        let batch: EncodedBatch
        do {
            batch = try end.marker(now: self.resources.clock.wallMilliseconds())
        } catch {
            throw Refusal(.unknownServerError, "\(error)")
        }
        let isNeeded = self.state.withLock {
            $0.log.producers.needsMarker(producerID: end.producerID, epoch: end.epoch)
        }
        guard isNeeded else { return false }
        return try self.append(batch, as: .broker, sync: sync).waitsForSync
    }

    /// What is known of the partition's producers, by their ids.
    var producers: [(producerID: Int64, state: ProducerState)] { self.state.withLock { $0.log.producers }.all }

    /// Forgets producers unheard of since `time` (milliseconds since the epoch).
    func expireProducers(silentSince time: Int64) {
        self.state.withLock { $0.log.expireProducers(silentSince: time) }
    }

    /// Where the batches of a leader epoch end; nil for an epoch newer than all batches.
    func endOffset(ofLeaderEpoch epoch: Int32) -> (epoch: Int32, offset: Offset)? {
        self.state.withLock { state in
            // An empty log has no epoch yet.
            if epoch == self.leaderEpoch { return (epoch, state.log.logEndOffset) }
            return state.log.endOffset(ofLeaderEpoch: epoch)
        }
    }
}

/// How a producer's transaction ends. A value.
struct TransactionEnd: Sendable, Equatable {
    let producerID: Int64
    /// Batches of lower epochs are refused from then on.
    let epoch: Int16
    let isCommit: Bool

    /// There is one coordinator, and there only ever was this one.
    static let coordinatorEpoch: Int32 = 0

    /// The control batch that says so.
    func marker(now: Int64) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(
            producerID: self.producerID, producerEpoch: self.epoch, isTransactional: true, isControl: true,
            capacity: 64)
        let type: ControlRecordType = self.isCommit ? .commit : .abort
        builder.append(
            timestamp: now, key: try ControlRecordKey(type: type.rawValue).versionedBytes(version: 0),
            value: try EndTxnMarker(coordinatorEpoch: Self.coordinatorEpoch).versionedBytes(version: 0))
        return try builder.finish()
    }
}
