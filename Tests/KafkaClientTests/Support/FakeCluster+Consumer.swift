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
            let id = state.withLock { $0.coordinator }
            return .answer(
                FindCoordinatorResponse(
                    nodeID: id, host: "127.0.0.1", port: Int32(portsOfBrokers[Int(id) - 1])))
        case .joinGroup:
            let request = try frame.decode(JoinGroupRequest.self)
            guard coordinates(broker) else { return .answer(JoinGroupResponse(errorCode: .notCoordinator)) }
            let member = JoinGroupResponse.JoinGroupResponseMember(
                memberID: "m", metadata: request.protocols[0].metadata)
            return .answer(
                JoinGroupResponse(
                    generationID: 1, protocolName: request.protocols[0].name, leader: "m", memberID: "m",
                    members: [member]))
        case .syncGroup:
            let request = try frame.decode(SyncGroupRequest.self)
            guard coordinates(broker) else { return .answer(SyncGroupResponse(errorCode: .notCoordinator)) }
            return .answer(SyncGroupResponse(assignment: request.assignments[0].assignment))
        case .heartbeat:
            return .answer(HeartbeatResponse(errorCode: coordinates(broker) ? .none : .notCoordinator))
        case .leaveGroup:
            return .answer(LeaveGroupResponse())
        case .offsetFetch:
            let request = try frame.decode(OffsetFetchRequest.self)
            return .answer(state.withLock { offsets(request, $0) })
        case .offsetCommit:
            return .answer(try commit(try frame.decode(OffsetCommitRequest.self), at: broker))
        case .listOffsets:
            let request = try frame.decode(ListOffsetsRequest.self)
            return .answer(
                ListOffsetsResponse(
                    topics: request.topics.map { topic in
                        ListOffsetsResponse.ListOffsetsTopicResponse(
                            name: topic.name,
                            partitions: topic.partitions.map {
                                ListOffsetsResponse.ListOffsetsPartitionResponse(
                                    partitionIndex: $0.partitionIndex, offset: 0)
                            })
                    }))
        case .fetch:
            let (response, isEmpty) = try fetch(try frame.decode(FetchRequest.self), from: broker)
            return isEmpty ? .answerLater(response, .milliseconds(20)) : .answer(response)
        default:
            return .hangUp
        }
    }

    private func coordinates(_ broker: Int32) -> Bool {
        state.withLock { state in
            state.groupRequests[broker, default: 0] += 1
            return state.coordinator == broker
        }
    }

    private func offsets(_ request: OffsetFetchRequest, _ state: State) -> OffsetFetchResponse {
        OffsetFetchResponse(
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
                let data = state.withLock { self.data(of: key, from: wanted.fetchOffset, at: broker, &$0) }
                isEmpty = isEmpty && data.errorCode == .none && data.records?.readableBytes ?? 0 == 0
                entry.partitions.append(data)
            }
            answer.responses.append(entry)
        }
        return (answer, isEmpty)
    }

    private func data(
        of partition: TopicPartition, from offset: Int64, at broker: Int32, _ state: inout State
    ) -> FetchResponse.PartitionData {
        var data = FetchResponse.PartitionData(partitionIndex: partition.partition.rawValue)
        state.fetches[broker, default: 0] += 1
        if state.leader != broker {
            data.errorCode = .notLeaderOrFollower
        } else if !state.fetchFaults.isEmpty {
            data.errorCode = state.fetchFaults.removeFirst()
        } else {
            var records = state.logs[partition]?.records(from: offset) ?? ByteBuffer()
            if state.damagedFetches > 0, records.readableBytes > 0 {
                state.damagedFetches -= 1
                records.setInteger(UInt8(0xff), at: records.writerIndex - 1)
            }
            data.records = records
        }
        return data
    }
}

extension FakeLog {
    /// The first batch that ends behind an offset, alone, so that reading takes several fetches.
    func records(from offset: Int64) -> ByteBuffer? {
        batches.first { $0.header.nextOffset.rawValue > offset }?.bytes
    }
}
