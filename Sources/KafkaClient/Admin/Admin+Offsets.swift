public import KafkaProtocol
public import RecordBatch

extension Admin {
    /// The offsets of the oldest records.
    ///
    /// - Throws: `KafkaClientError.unknownTopic`, `.unknownPartition` or `.noLeader`.
    public func startOffsets(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        try await lookUp(.earliest, partitions)
    }

    /// The offsets after the newest records.
    ///
    /// - Parameter isolation: with `readCommitted` the last stable offsets, at which reading committed records ends.
    public func endOffsets(
        _ partitions: [TopicPartition], isolation: IsolationLevel = .readUncommitted
    ) async throws -> [TopicPartition: Offset] {
        try await lookUp(.latest, partitions, isolation)
    }

    /// The offsets of the first records at or after a time, in milliseconds since the epoch. Partitions where all
    /// records are older are missing.
    public func offsets(
        of partitions: [TopicPartition], atTimestamp milliseconds: Int64
    ) async throws -> [TopicPartition: Offset] {
        try await lookUp(.timestamp(milliseconds), partitions)
    }

    private func lookUp(
        _ query: OffsetQuery, _ partitions: [TopicPartition], _ isolation: IsolationLevel = .readUncommitted
    ) async throws -> [TopicPartition: Offset] {
        try await retrying {
            let metadata = try await cluster.metadata(of: Set(partitions.map(\.topic)))
            var byLeader: [Int32: [TopicPartition]] = [:]
            for partition in partitions {
                byLeader[try metadata.requireLeader(of: partition), default: []].append(partition)
            }
            var offsets: [TopicPartition: Offset] = [:]
            for (leader, partitions) in byLeader {
                let results = try await cluster.offsets(
                    query, of: partitions, at: .broker(leader), isolation: isolation)
                for (partition, result) in results {
                    do {
                        offsets[partition] = try result.get()
                    } catch {
                        cluster.invalidateMetadata(of: [partition.topic])
                        throw error
                    }
                }
            }
            return offsets
        }
    }
}
