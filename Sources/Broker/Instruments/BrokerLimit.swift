/// The limits of `BrokerLimits` and `ConnectionLimits` by their names there; each is counted whenever it has an effect.
enum BrokerLimit: Int, CaseIterable, Sendable {
    /// Larger frames close the connection.
    case frameBytes, firstFrameBytes
    /// The broker stops reading from the connection.
    case queuedRequests, queuedBytes
    /// Connections closed, or not taken.
    case idleTime, requestBytes, requestElements, connections, connectionsPerAddress
    /// Fetches that waited until others had taken their answers.
    case answerBytes
    /// Connections closed as they did not take their answers.
    case stallTime
    /// Records refused.
    case batchBytes, decompressedBytes, minimumFreeBytes
    /// Answers that hold less, or come sooner, than the client asked for.
    case fetchResponseBytes, fetchWaitMilliseconds
    /// What is not created.
    case partitionsPerTopic, partitions, topics, groups
    /// Members refused.
    case membersPerGroup, memberBytes, groupBytes
    /// Producers forgotten.
    case producersPerPartition
    /// Transactional ids, or partitions of a transaction, refused.
    case transactionalIDs, partitionsPerTransaction
    /// Commits refused.
    case offsetMetadataBytes, committedOffsetBytes
    /// Rewritings of a partition of `__consumer_offsets`.
    case offsetsTopicBytes
    /// Rewritings of a partition of `__transaction_state`.
    case transactionsTopicBytes
    /// Compactions that took another pass because their keys took more memory.
    case compactionBytes
    /// Fetches of so much that they were read on the thread pool.
    case eventLoopReadBytes
    /// Topics and groups that share a series.
    case measuredTopics, measuredGroups

    /// As in `BrokerLimits`.
    var name: String { "\(self)" }
}
