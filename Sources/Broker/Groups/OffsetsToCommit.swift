import KafkaProtocol

/// The offsets of one OffsetCommit or TxnOffsetCommit request: those that are handed to the group, and why others are not. A
/// value of the request's handler.
struct OffsetsToCommit: Sendable {
    private(set) var accepted: [(PartitionName, CommittedOffset)] = []
    private var refused: [PartitionName: ErrorCode] = [:]

    /// Checks one partition's offset.
    mutating func take(
        _ name: PartitionName, offset: Int64, leaderEpoch: Int32, metadata: String?, at now: Int64, _ node: BrokerNode
    ) {
        let metadata = metadata ?? ""
        if node.catalog.partition(name.topic, name.partition) == nil {
            self.refused[name] = .unknownTopicOrPartition
        } else if metadata.utf8.count > node.configuration.limits.offsetMetadataBytes {
            self.refused[name] = .offsetMetadataTooLarge
            node.counters.reached(.offsetMetadataBytes)
        } else {
            let committed = CommittedOffset(
                offset: offset, leaderEpoch: leaderEpoch, metadata: metadata, commitTimestamp: now)
            self.accepted.append((name, committed))
        }
    }

    /// What a partition is answered once the group has answered `code` to the offsets that were accepted.
    func code(for name: PartitionName, after code: ErrorCode) -> ErrorCode { self.refused[name] ?? code }
}
