import KafkaProtocol
import Logging
import NIOCore
import OrderedCollections
import RecordBatch

/// Offsets that are committed as part of a transaction (TxnOffsetCommit, KIP-98 and KIP-447).
extension GroupCoordinator {
    /// Takes offsets into a producer's transaction; the answer is one code for all of them. They are on the disk before the
    /// transaction's marker is, so nobody waits for that here.
    func commit(
        _ offsets: [(PartitionName, CommittedOffset)], by caller: GroupCaller, in producer: ProducerIdentity,
        group id: String, answer: @escaping @Sendable (ErrorCode) -> Void
    ) {
        self.onLoop {
            guard !self.rooms.value.isStopping else { return answer(.coordinatorNotAvailable) }
            if self.rooms.value.groups[id] == nil {
                guard caller.generation < 0 else { return answer(.illegalGeneration) }
                guard self.admit(id) else { return answer(.policyViolation) }
            }
            let code = self.rooms.value.groups[id]?.group.checkTransactionalCommit(by: caller, now: self.clock.now())
            guard code == ErrorCode.none, !offsets.isEmpty else {
                self.forgetIfDeserted(id)
                return answer(code ?? .unknownServerError)
            }
            guard self.hasRoom(for: offsets, isPending: true, group: id) else {
                self.forgetIfDeserted(id)
                return answer(.policyViolation)
            }
            switch self.topic.append(offsets.map { .offset($0, $1) }, group: id, in: producer, sync: nil) {
            case .success(let receipt):
                for (name, committed) in offsets {
                    let pending = PendingOffset(
                        committed: committed, epoch: producer.epoch, appendedAt: receipt.baseOffset)
                    self.rooms.value.groups[id]?.pending.add(name, pending, producerID: producer.producerID)
                }
                self.rooms.value.groupsInTransactions[producer.producerID, default: []].insert(id)
                self.countAppend()
                answer(.none)
            case .failure(let refusal):
                self.forgetIfDeserted(id)
                switch refusal.code {
                case .invalidProducerEpoch, .invalidTxnState: answer(refusal.code)
                default:
                    self.complain(id, refusal)
                    answer(.coordinatorNotAvailable)
                }
            }
        }
    }

    /// Appends the marker that ends a producer's transaction to a partition of `__consumer_offsets`; its offsets count, or
    /// are forgotten. Call it on the event loop.
    ///
    /// - Returns: whether `sync` will be told.
    func endTransaction(
        _ end: TransactionEnd, in partition: Partition, sync: SyncWait?
    ) throws(Partition.Refusal) -> Bool {
        let waits = try partition.endTransaction(end, sync: sync)
        let count = self.topic.catalog.topic(Topic.offsetsTopicName)?.partitions.count ?? 1
        for id in self.rooms.value.groupsInTransactions[end.producerID] ?? []
        where Topic.partitionIndex(of: id, among: count) == partition.index {
            self.rooms.value.groupsInTransactions[end.producerID]?.remove(id)
            guard var room = self.rooms.value.groups.removeValue(forKey: id) else { continue }
            let committed = room.pending.end(producerID: end.producerID, isCommit: end.isCommit)
            room.offsets.merge(committed)
            self.rooms.value.groups[id] = room
            self.forgetIfDeserted(id)
        }
        if self.rooms.value.groupsInTransactions[end.producerID]?.isEmpty ?? false {
            self.rooms.value.groupsInTransactions[end.producerID] = nil
        }
        return waits
    }
}

extension ConsumerGroup {
    /// Whether offsets of a transaction are accepted. A producer that says nothing of a member (before version 3 of the
    /// request) is trusted, as its epoch fences it; one that does must speak for a member of this generation.
    mutating func checkTransactionalCommit(by caller: GroupCaller, now: NIODeadline) -> ErrorCode {
        if caller.generation < 0 && caller.memberID.isEmpty && caller.instanceID == nil { return .none }
        if let error = self.error(for: caller) { return error }
        self.members[caller.memberID]?.heard(now: now)
        return .none
    }
}
