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
    /// - Parameter isolation: with `readCommitted` the latest offset is the last stable one.
    /// - Returns: an offset or an error for each partition; nil for a timestamp that is later than all records.
    func offsets(
        _ query: OffsetQuery, of partitions: [TopicPartition], at target: Target,
        isolation: IsolationLevel = .readUncommitted
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
            if case .timestamp = query, version < 1 {
                throw KafkaClientError.unencodable(
                    request: "ListOffsets", reason: "brokers before Kafka 0.10.1 do not know the times of records")
            }
            return ListOffsetsRequest(isolationLevel: isolation.rawValue, topics: topics)
        }
        var results: [TopicPartition: Result<Offset?, KafkaClientError>] = [:]
        for topic in answer.topics {
            guard let name = try? TopicName(topic.name) else { continue }
            for entry in topic.partitions {
                let partition = TopicPartition(topic: name, partition: PartitionIndex(entry.partitionIndex))
                // Version 0 answers with a list.
                let offset = entry.oldStyleOffsets.first ?? entry.offset
                results[partition] =
                    entry.errorCode == .none
                    ? .success(offset < 0 ? nil : Offset(offset))
                    : .failure(.refused(entry.errorCode, subject: "offsets of partition \(partition)", message: nil))
            }
        }
        return results
    }
}

/// Where a leader epoch ends in a leader's log; a value.
struct EpochEnd: Equatable, Sendable {
    /// The largest epoch of the log up to the one asked about; -1 if there is none.
    let epoch: Int32
    /// The offset after its last record; nil if it is not known.
    let offset: Offset?
}

extension Cluster {
    /// Asks one broker, which must lead all these partitions, where epochs end; one attempt (KIP-320).
    ///
    /// - Throws: `KafkaClientError.unsupported` if the broker is too old for consumers to ask.
    func epochEnds(
        _ validations: [FetchPositions.Validation], at broker: Int32
    ) async throws -> [TopicPartition: Result<EpochEnd, KafkaClientError>] {
        var request = OffsetForLeaderEpochRequest(replicaID: -1)
        for (topic, validations) in Dictionary(grouping: validations, by: \.partition.topic) {
            request.topics.append(
                OffsetForLeaderEpochRequest.OffsetForLeaderTopic(
                    topic: topic.rawValue,
                    partitions: validations.map {
                        OffsetForLeaderEpochRequest.OffsetForLeaderPartition(
                            partition: $0.partition.partition.rawValue, currentLeaderEpoch: $0.leaderEpoch,
                            leaderEpoch: $0.epoch)
                    }))
        }
        let asking = request
        let address = knownMetadata.brokers[broker]?.address ?? configuration.bootstrap[0]
        let answer: OffsetForLeaderEpochResponse = try await send(to: .broker(broker)) { version in
            // Before version 3 only other brokers were allowed to ask.
            guard version >= 3 else {
                throw KafkaClientError.unsupported(address, request: "OffsetForLeaderEpoch")
            }
            return asking
        }
        var ends: [TopicPartition: Result<EpochEnd, KafkaClientError>] = [:]
        for topic in answer.topics {
            guard let name = try? TopicName(topic.topic) else { continue }
            for entry in topic.partitions {
                let partition = TopicPartition(topic: name, partition: PartitionIndex(entry.partition))
                ends[partition] =
                    entry.errorCode == .none
                    ? .success(
                        EpochEnd(epoch: entry.leaderEpoch, offset: entry.endOffset < 0 ? nil : Offset(entry.endOffset)))
                    : .failure(.refused(entry.errorCode, subject: "epochs of partition \(partition)", message: nil))
            }
        }
        return ends
    }
}
