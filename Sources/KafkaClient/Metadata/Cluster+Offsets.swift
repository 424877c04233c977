import KafkaProtocol
import RecordBatch

/// A point in a partition's log to be looked up.
enum OffsetQuery: Sendable {
    /// The oldest record's offset.
    case earliest
    /// The offset after the newest record that can be read.
    case latest
    /// The offset of the first record at or after this time, in milliseconds since the epoch.
    case timestamp(Int64)

    var wireValue: Int64 {
        switch self {
        case .earliest: -2
        case .latest: -1
        case .timestamp(let milliseconds): max(0, milliseconds)
        }
    }
}

extension Cluster {
    /// Looks offsets up at one broker, which must lead all these partitions; one attempt.
    ///
    /// - Returns: an offset or an error for each partition; nil for a timestamp that is later than all records.
    func offsets(
        _ query: OffsetQuery, of partitions: [TopicPartition], at target: Target
    ) async throws -> [TopicPartition: Result<Offset?, KafkaClientError>] {
        let topics = Dictionary(grouping: partitions, by: \.topic).map { topic, partitions in
            ListOffsetsRequest.ListOffsetsTopic(
                name: topic.rawValue,
                partitions: partitions.map {
                    ListOffsetsRequest.ListOffsetsPartition(
                        partitionIndex: $0.partition.rawValue, timestamp: query.wireValue)
                })
        }
        let answer: ListOffsetsResponse = try await send(to: target) { version in
            guard version >= 1 else {
                throw KafkaClientError.unencodable(
                    request: "ListOffsets", reason: "the broker is older than Kafka 0.10.1")
            }
            return ListOffsetsRequest(topics: topics)
        }
        var results: [TopicPartition: Result<Offset?, KafkaClientError>] = [:]
        for topic in answer.topics {
            guard let name = try? TopicName(topic.name) else { continue }
            for entry in topic.partitions {
                let partition = TopicPartition(topic: name, partition: PartitionIndex(entry.partitionIndex))
                results[partition] =
                    entry.errorCode == .none
                    ? .success(entry.offset < 0 ? nil : Offset(entry.offset))
                    : .failure(.refused(entry.errorCode, subject: "offsets of partition \(partition)", message: nil))
            }
        }
        return results
    }
}
