import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization

@testable import KafkaClient

/// What a consumer asks for: a group of one member, and fetches from whoever leads.
extension FakeCluster {
    func answerConsumer(_ frame: inout RequestFrame, from broker: Int32) throws -> ScriptedBroker.Reply {
        switch frame.header.apiKey {
        case .findCoordinator:
            if let code = fault(.findCoordinator) { return .answer(FindCoordinatorResponse(errorCode: code)) }
            let id = state.withLock { $0.coordinator }
            return .answer(
                FindCoordinatorResponse(
                    nodeID: id, host: "127.0.0.1", port: Int32(portsOfBrokers[Int(id) - 1])))
        case .joinGroup:
            let request = try frame.decode(JoinGroupRequest.self)
            state.withLock { _ = $0.instanceIDs.insert(request.groupInstanceID) }
            if let code = fault(.joinGroup) { return .answer(JoinGroupResponse(errorCode: code)) }
            guard coordinates(broker) else { return .answer(JoinGroupResponse(errorCode: .notCoordinator)) }
            let member = JoinGroupResponse.JoinGroupResponseMember(
                memberID: "m", metadata: request.protocols[0].metadata)
            return .answer(
                JoinGroupResponse(
                    generationID: 1, protocolName: request.protocols[0].name, leader: "m", memberID: "m",
                    members: [member]))
        case .syncGroup:
            let request = try frame.decode(SyncGroupRequest.self)
            if let code = fault(.syncGroup) { return .answer(SyncGroupResponse(errorCode: code)) }
            guard coordinates(broker) else { return .answer(SyncGroupResponse(errorCode: .notCoordinator)) }
            return .answer(SyncGroupResponse(assignment: request.assignments[0].assignment))
        case .heartbeat:
            if let code = fault(.heartbeat) { return .answer(HeartbeatResponse(errorCode: code)) }
            return .answer(HeartbeatResponse(errorCode: coordinates(broker) ? .none : .notCoordinator))
        case .leaveGroup:
            return .answer(LeaveGroupResponse())
        case .offsetFetch:
            let request = try frame.decode(OffsetFetchRequest.self)
            return .answer(state.withLock { offsets(request, &$0) })
        case .offsetCommit:
            return .answer(try commit(try frame.decode(OffsetCommitRequest.self), at: broker))
        case .listOffsets:
            let request = try frame.decode(ListOffsetsRequest.self)
            return .answer(state.withLock { listOffsets(request, &$0) })
        case .offsetForLeaderEpoch:
            let request = try frame.decode(OffsetForLeaderEpochRequest.self)
            return .answer(state.withLock { epochEnds(request, $0) })
        case .fetch:
            let (response, isEmpty) = try fetch(try frame.decode(FetchRequest.self), from: broker)
            return isEmpty ? .answerLater(response, .milliseconds(20)) : .answer(response)
        default:
            return try answerTransaction(&frame, from: broker)
        }
    }

    private func coordinates(_ broker: Int32) -> Bool {
        state.withLock { state in
            state.groupRequests[broker, default: 0] += 1
            return state.coordinator == broker
        }
    }

    private func fault(_ key: APIKey) -> ErrorCode? {
        state.withLock { state in
            guard state.groupFaults[key]?.isEmpty == false else { return nil }
            return state.groupFaults[key]?.removeFirst()
        }
    }

    private func listOffsets(_ request: ListOffsetsRequest, _ state: inout State) -> ListOffsetsResponse {
        state.isolationLevels.insert(request.isolationLevel)
        return ListOffsetsResponse(
            topics: request.topics.map { topic in
                ListOffsetsResponse.ListOffsetsTopicResponse(
                    name: topic.name,
                    partitions: topic.partitions.map { wanted in
                        let key = try? TopicPartition(
                            topic: TopicName(topic.name), partition: PartitionIndex(wanted.partitionIndex))
                        let end = key.flatMap { state.logs[$0]?.end } ?? 0
                        return ListOffsetsResponse.ListOffsetsPartitionResponse(
                            partitionIndex: wanted.partitionIndex, offset: wanted.timestamp == -2 ? 0 : end)
                    })
            })
    }

    private func epochEnds(
        _ request: OffsetForLeaderEpochRequest, _ state: State
    ) -> OffsetForLeaderEpochResponse {
        OffsetForLeaderEpochResponse(
            topics: request.topics.map { topic in
                OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult(
                    topic: topic.topic,
                    partitions: topic.partitions.map { wanted in
                        let epoch = state.epochEnds.keys.filter { $0 <= wanted.leaderEpoch }.max()
                        return OffsetForLeaderEpochResponse.EpochEndOffset(
                            errorCode: wanted.currentLeaderEpoch == state.leaderEpoch ? .none : .fencedLeaderEpoch,
                            partition: wanted.partition, leaderEpoch: epoch ?? -1,
                            endOffset: epoch.flatMap { state.epochEnds[$0] } ?? -1)
                    })
            })
    }

    private func offsets(_ request: OffsetFetchRequest, _ state: inout State) -> OffsetFetchResponse {
        state.requiredStable = state.requiredStable || request.requireStable
        if state.unstableAnswers > 0 {
            state.unstableAnswers -= 1
            return OffsetFetchResponse(
                topics: (request.topics ?? []).map { topic in
                    OffsetFetchResponse.OffsetFetchResponseTopic(
                        name: topic.name,
                        partitions: topic.partitionIndexes.map {
                            OffsetFetchResponse.OffsetFetchResponsePartition(
                                partitionIndex: $0, committedOffset: -1, errorCode: .unstableOffsetCommit)
                        })
                })
        }
        return OffsetFetchResponse(
            topics: (request.topics ?? []).map { topic in
                OffsetFetchResponse.OffsetFetchResponseTopic(
                    name: topic.name,
                    partitions: topic.partitionIndexes.map { index in
                        let key = try? TopicPartition(
                            topic: TopicName(topic.name), partition: PartitionIndex(index))
                        return OffsetFetchResponse.OffsetFetchResponsePartition(
                            partitionIndex: index, committedOffset: key.flatMap { state.committed[$0] } ?? -1)
                    })
            })
    }

    private func commit(_ request: OffsetCommitRequest, at broker: Int32) throws -> OffsetCommitResponse {
        let coordinates = coordinates(broker)
        var answer = OffsetCommitResponse()
        for topic in request.topics {
            var entry = OffsetCommitResponse.OffsetCommitResponseTopic(name: topic.name)
            for partition in topic.partitions {
                let key = TopicPartition(
                    topic: try TopicName(topic.name), partition: PartitionIndex(partition.partitionIndex))
                if coordinates { state.withLock { $0.committed[key] = partition.committedOffset } }
                entry.partitions.append(
                    OffsetCommitResponse.OffsetCommitResponsePartition(
                        partitionIndex: partition.partitionIndex, errorCode: coordinates ? .none : .notCoordinator))
            }
            answer.topics.append(entry)
        }
        return answer
    }

    private func fetch(_ request: FetchRequest, from broker: Int32) throws -> (FetchResponse, isEmpty: Bool) {
        var answer = FetchResponse()
        var isEmpty = true
        for topic in request.topics {
            var entry = FetchResponse.FetchableTopicResponse(topic: topic.topic)
            for wanted in topic.partitions {
                let key = TopicPartition(
                    topic: try TopicName(topic.topic), partition: PartitionIndex(wanted.partition))
                let data = try state.withLock { state in
                    state.isolationLevels.insert(request.isolationLevel)
                    return try self.data(of: key, wanted, at: broker, &state)
                }
                isEmpty = isEmpty && data.errorCode == .none && data.records?.readableBytes ?? 0 == 0
                entry.partitions.append(data)
            }
            answer.responses.append(entry)
        }
        return (answer, isEmpty)
    }

    private func data(
        of partition: TopicPartition, _ wanted: FetchRequest.FetchPartition, at broker: Int32, _ state: inout State
    ) throws -> FetchResponse.PartitionData {
        var data = FetchResponse.PartitionData(partitionIndex: partition.partition.rawValue)
        state.fetches[broker, default: 0] += 1
        if state.topics[partition.topic.rawValue] == nil {
            data.errorCode = .unknownTopicOrPartition
        } else if state.leader != broker {
            data.errorCode = .notLeaderOrFollower
        } else if !state.fetchFaults.isEmpty {
            data.errorCode = state.fetchFaults.removeFirst()
        } else if wanted.currentLeaderEpoch >= 0, wanted.currentLeaderEpoch != state.leaderEpoch {
            data.errorCode =
                wanted.currentLeaderEpoch < state.leaderEpoch ? .fencedLeaderEpoch : .unknownLeaderEpoch
        } else if wanted.fetchOffset > state.logs[partition]?.end ?? 0 {
            data.errorCode = .offsetOutOfRange
        } else {
            data.highWatermark = state.logs[partition]?.end ?? 0
            data.lastStableOffset = state.lastStableOffset ?? data.highWatermark
            data.abortedTransactions = state.aborted
            data.records = try records(of: partition, from: wanted.fetchOffset, &state)
        }
        return data
    }

    private func records(
        of partition: TopicPartition, from offset: Int64, _ state: inout State
    ) throws -> ByteBuffer {
        var records = state.logs[partition]?.records(from: offset) ?? ByteBuffer()
        if let format = state.legacyFormat {
            var writer = LegacyMessageSetWriter(format: format, from: Offset(offset), maximumBytes: .max)
            try writer.append(records)
            records = writer.bytes
        }
        if state.damagedFetches > 0, records.readableBytes > 0 {
            state.damagedFetches -= 1
            records.setInteger(UInt8(0xff), at: records.writerIndex - 1)
        }
        return records
    }
}

extension FakeLog {
    var end: Int64 { batches.last?.header.nextOffset.rawValue ?? 0 }

    /// The first batch that ends behind an offset, alone, so that reading takes several fetches.
    func records(from offset: Int64) -> ByteBuffer? {
        batches.first { $0.header.nextOffset.rawValue > offset }?.bytes
    }
}
