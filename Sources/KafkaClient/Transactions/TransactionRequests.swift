import KafkaProtocol
import RecordBatch

/// The requests of one transactional producer to its coordinator, and to that of a group whose offsets it commits; each
/// one attempt. A value; any thread.
struct TransactionRequests: Sendable {
    let cluster: Cluster
    let transactionalID: String

    /// Gets a producer id and epoch. Whoever used the transactional id before is fenced, and its transaction aborted.
    ///
    /// - Parameter identity: raises its epoch, and is refused if another producer has taken over (KIP-360, Kafka 2.5).
    func initialize(timeout: Duration, replacing identity: ProducerIdentity?) async throws -> ProducerIdentity {
        let request = InitProducerIdRequest(
            transactionalID: transactionalID, transactionTimeoutMs: timeout.wholeMilliseconds,
            producerID: identity?.id ?? -1, producerEpoch: identity?.epoch ?? -1)
        let answer = try await cluster.send(request, to: .transactionCoordinator(transactionalID))
        try check(answer.errorCode, "producer id for \(transactionalID)")
        return ProducerIdentity(id: answer.producerID, epoch: answer.producerEpoch)
    }

    /// Takes partitions into the transaction, which begins with the first ones.
    func add(_ partitions: [TopicPartition], _ identity: ProducerIdentity) async throws {
        let request = AddPartitionsToTxnRequest(
            transactionalID: transactionalID, producerID: identity.id, producerEpoch: identity.epoch,
            topics: Dictionary(grouping: partitions, by: \.topic).map { topic, partitions in
                AddPartitionsToTxnRequest.AddPartitionsToTxnTopic(
                    name: topic.rawValue, partitions: partitions.map(\.partition.rawValue).sorted())
            })
        let answer = try await cluster.send(request, to: .transactionCoordinator(transactionalID))
        let refused = answer.results.flatMap { topic in
            topic.results.filter { $0.errorCode != .none }.map { (topic.name, $0.partitionIndex, $0.errorCode) }
        }
        // Of all that was refused together one says why.
        guard let (topic, index, code) = refused.first(where: { $0.2 != .operationNotAttempted }) ?? refused.first
        else { return }
        try check(code, "adding \(topic)-\(index) to the transaction")
    }

    /// Takes a group's offsets into the transaction.
    func add(group: String, _ identity: ProducerIdentity) async throws {
        let request = AddOffsetsToTxnRequest(
            transactionalID: transactionalID, producerID: identity.id, producerEpoch: identity.epoch, groupID: group)
        let answer = try await cluster.send(request, to: .transactionCoordinator(transactionalID))
        try check(answer.errorCode, "adding the offsets of group \(group) to the transaction")
    }

    /// Hands offsets to the group's coordinator, who keeps them back until the transaction is committed.
    func commit(
        _ offsets: [TopicPartition: Offset], group: GroupMetadata, _ identity: ProducerIdentity
    ) async throws {
        let request = TxnOffsetCommitRequest(
            transactionalID: transactionalID, groupID: group.group, producerID: identity.id,
            producerEpoch: identity.epoch, generationID: group.generation, memberID: group.memberID,
            groupInstanceID: group.instanceID,
            topics: Dictionary(grouping: offsets, by: \.key.topic).map { topic, offsets in
                TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic(
                    name: topic.rawValue,
                    partitions: offsets.map { partition, offset in
                        TxnOffsetCommitRequest.TxnOffsetCommitRequestPartition(
                            partitionIndex: partition.partition.rawValue, committedOffset: offset.rawValue)
                    })
            })
        let answer = try await cluster.send(request, to: .coordinator(group: group.group))
        for topic in answer.topics {
            for partition in topic.partitions where partition.errorCode != .none {
                if [.notCoordinator, .coordinatorNotAvailable].contains(partition.errorCode) {
                    cluster.invalidateCoordinator(of: group.group)
                }
                throw KafkaClientError.refused(
                    partition.errorCode,
                    subject: "offset of \(topic.name)-\(partition.partitionIndex) for group \(group.group)",
                    message: nil)
            }
        }
    }

    func end(isCommit: Bool, _ identity: ProducerIdentity) async throws {
        let request = EndTxnRequest(
            transactionalID: transactionalID, producerID: identity.id, producerEpoch: identity.epoch,
            committed: isCommit)
        let answer = try await cluster.send(request, to: .transactionCoordinator(transactionalID))
        try check(answer.errorCode, "\(isCommit ? "committing" : "aborting") the transaction of \(transactionalID)")
    }

    /// Throws unless the code is none. Forgets a coordinator that says it is none.
    private func check(_ code: ErrorCode, _ subject: @autoclosure () -> String) throws(KafkaClientError) {
        guard code != .none else { return }
        if code == .notCoordinator || code == .coordinatorNotAvailable {
            cluster.invalidateCoordinator(ofTransactions: transactionalID)
        }
        throw .refused(code, subject: subject(), message: nil)
    }
}
