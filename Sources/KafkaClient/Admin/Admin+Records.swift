public import KafkaProtocol
public import RecordBatch

extension Admin {
    /// The timestamps, in milliseconds since the epoch, of the first records at or after these offsets. Partitions
    /// without such a record, without the offset, or whose records have no timestamp are missing.
    public func timestamps(
        ofRecordsAt offsets: [TopicPartition: Offset]
    ) async throws -> [TopicPartition: Int64] {
        var timestamps: [TopicPartition: Int64] = [:]
        for (partition, offset) in offsets {
            timestamps[partition] = try await timestamp(of: partition, at: offset)
        }
        return timestamps
    }

    private func timestamp(of partition: TopicPartition, at offset: Offset) async throws -> Int64? {
        let data = try await retrying { try await fetchOne(partition, at: offset) }
        guard let data else { return nil }
        var found: Int64?
        for batch in FetchedRecords(data.records, from: offset).batches where found == nil {
            try batch.forEachRecord { record in
                if found == nil, record.offset >= offset { found = record.timestamp }
            }
        }
        return found.flatMap { $0 < 0 ? nil : $0 }
    }

    /// One partition's part of a fetch that does not wait; nil if the offset is not in the log.
    private func fetchOne(
        _ partition: TopicPartition, at offset: Offset
    ) async throws -> FetchResponse.PartitionData? {
        let answer: FetchResponse = try await cluster.send(to: .leader(partition)) { _ in
            var request = FetchRequest()
            request.maxWaitMs = 0
            request.minBytes = 0
            request.maxBytes = 64 << 10
            // A single batch comes whole, however large.
            let entry = FetchRequest.FetchPartition(
                partition: partition.partition.rawValue, fetchOffset: offset.rawValue, partitionMaxBytes: 4 << 10)
            request.topics = [FetchRequest.FetchTopic(topic: partition.topic.rawValue, partitions: [entry])]
            return request
        }
        guard let data = answer.responses.first?.partitions.first, data.errorCode != .offsetOutOfRange else {
            return nil
        }
        guard data.errorCode == .none else {
            cluster.invalidateMetadata(of: [partition.topic])
            throw KafkaClientError.refused(data.errorCode, subject: "fetch of partition \(partition)", message: nil)
        }
        return data
    }
}
