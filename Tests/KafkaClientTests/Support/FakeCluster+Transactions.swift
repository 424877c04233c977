import KafkaProtocol
import RecordBatch
import Synchronization

@testable import KafkaClient

/// What a coordinator knows of a transactional id.
struct FakeTransaction: Sendable {
    var producerID: Int64
    var epoch: Int16
    /// Of the open transaction.
    var partitions: Set<TopicPartition> = []
    var groups: Set<String> = []
    var offsets: [TopicPartition: Int64] = [:]
    /// The member each commit of offsets named.
    var members: [String] = []
    /// True for each that was committed, false for each that was aborted.
    var outcomes: [Bool] = []
    /// Requests to add partitions, and the partitions of each.
    var additions: [Set<TopicPartition>] = []

    var isOpen: Bool { !partitions.isEmpty || !groups.isEmpty }
}

/// What a transactional producer asks for, of the broker that coordinates everything.
extension FakeCluster {
    func initialize(_ request: InitProducerIdRequest, at broker: Int32) -> ScriptedBroker.Reply {
        answer(.initProducerId, at: broker, InitProducerIdResponse.init(failed:)) { state in
            let id = request.transactionalID ?? ""
            guard var known = state.transactions[id] else {
                state.nextProducerID += 1
                state.transactions[id] = FakeTransaction(producerID: state.nextProducerID, epoch: 0)
                return InitProducerIdResponse(producerID: state.nextProducerID, producerEpoch: 0)
            }
            if request.producerID >= 0, request.producerEpoch != known.epoch {
                return InitProducerIdResponse(errorCode: .producerFenced)
            }
            if known.isOpen { known.outcomes.append(false) }
            known.partitions = []
            known.groups = []
            known.offsets = [:]
            known.epoch += 1
            state.transactions[id] = known
            return InitProducerIdResponse(producerID: known.producerID, producerEpoch: known.epoch)
        }
    }

    func answerTransaction(_ frame: inout RequestFrame, from broker: Int32) throws -> ScriptedBroker.Reply {
        switch frame.header.apiKey {
        case .addPartitionsToTxn:
            let request = try frame.decode(AddPartitionsToTxnRequest.self)
            return try add(request, at: broker)
        case .addOffsetsToTxn:
            let request = try frame.decode(AddOffsetsToTxnRequest.self)
            return answer(.addOffsetsToTxn, at: broker, AddOffsetsToTxnResponse.init(failed:)) { state in
                let code = Self.check(request.transactionalID, request.producerEpoch, state)
                if code == .none { state.transactions[request.transactionalID]?.groups.insert(request.groupID) }
                return AddOffsetsToTxnResponse(errorCode: code)
            }
        case .txnOffsetCommit:
            let request = try frame.decode(TxnOffsetCommitRequest.self)
            return try commit(request, at: broker)
        case .endTxn:
            let request = try frame.decode(EndTxnRequest.self)
            return answer(.endTxn, at: broker, EndTxnResponse.init(failed:)) { state in
                let id = request.transactionalID
                let code = Self.check(id, request.producerEpoch, state)
                guard code == .none, var known = state.transactions[id] else { return EndTxnResponse(errorCode: code) }
                guard known.isOpen else {
                    let isSame = known.outcomes.last == request.committed
                    return EndTxnResponse(errorCode: isSame ? .none : .invalidTxnState)
                }
                if request.committed { state.committed.merge(known.offsets) { $1 } }
                known.outcomes.append(request.committed)
                known.partitions = []
                known.groups = []
                known.offsets = [:]
                state.transactions[id] = known
                return EndTxnResponse()
            }
        default:
            return .hangUp
        }
    }

    private func add(_ request: AddPartitionsToTxnRequest, at broker: Int32) throws -> ScriptedBroker.Reply {
        var partitions: Set<TopicPartition> = []
        for topic in request.topics {
            for index in topic.partitions {
                partitions.insert(
                    TopicPartition(topic: try TopicName(topic.name), partition: PartitionIndex(index)))
            }
        }
        let added = partitions
        func response(_ code: ErrorCode) -> AddPartitionsToTxnResponse {
            AddPartitionsToTxnResponse(
                results: request.topics.map { topic in
                    AddPartitionsToTxnResponse.AddPartitionsToTxnTopicResult(
                        name: topic.name,
                        results: topic.partitions.map {
                            AddPartitionsToTxnResponse.AddPartitionsToTxnPartitionResult(
                                partitionIndex: $0, errorCode: code)
                        })
                })
        }
        return answer(.addPartitionsToTxn, at: broker, response) { state in
            let code = Self.check(request.transactionalID, request.producerEpoch, state)
            if code == .none {
                state.transactions[request.transactionalID]?.partitions.formUnion(added)
                state.transactions[request.transactionalID]?.additions.append(added)
            }
            return response(code)
        }
    }

    private func commit(_ request: TxnOffsetCommitRequest, at broker: Int32) throws -> ScriptedBroker.Reply {
        var offsets: [TopicPartition: Int64] = [:]
        for topic in request.topics {
            for entry in topic.partitions {
                let key = TopicPartition(
                    topic: try TopicName(topic.name), partition: PartitionIndex(entry.partitionIndex))
                offsets[key] = entry.committedOffset
            }
        }
        let pending = offsets
        func response(_ code: ErrorCode) -> TxnOffsetCommitResponse {
            TxnOffsetCommitResponse(
                topics: request.topics.map { topic in
                    TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic(
                        name: topic.name,
                        partitions: topic.partitions.map {
                            TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition(
                                partitionIndex: $0.partitionIndex, errorCode: code)
                        })
                })
        }
        return answer(.txnOffsetCommit, at: broker, response) { state in
            let isAdded = state.transactions[request.transactionalID]?.groups.contains(request.groupID) == true
            guard isAdded else { return response(.invalidTxnState) }
            state.transactions[request.transactionalID]?.offsets.merge(pending) { $1 }
            state.transactions[request.transactionalID]?.members.append(request.memberID)
            return response(.none)
        }
    }

    private static func check(_ id: String, _ epoch: Int16, _ state: State) -> ErrorCode {
        guard let known = state.transactions[id] else { return .invalidProducerIDMapping }
        return known.epoch == epoch ? .none : .producerFenced
    }

    /// Answers as `work` says, unless this broker is no coordinator or a fault is due.
    private func answer<Response: KafkaResponse>(
        _ key: APIKey, at broker: Int32, _ refusal: (ErrorCode) -> Response, _ work: (inout State) -> Response
    ) -> ScriptedBroker.Reply {
        state.withLock { state in
            guard state.coordinator == broker else { return .answer(refusal(.notCoordinator)) }
            var fault: Fault?
            if state.transactionFaults[key]?.isEmpty == false { fault = state.transactionFaults[key]?.removeFirst() }
            switch fault {
            case .refuse(let code): return .answer(refusal(code))
            case .loseRequest: return .hangUp
            case .loseAnswer:
                _ = work(&state)
                return .hangUp
            case .forgetProducers, nil: return .answer(work(&state))
            }
        }
    }
}

extension InitProducerIdResponse {
    fileprivate init(failed code: ErrorCode) { self.init(errorCode: code) }
}

extension AddOffsetsToTxnResponse {
    fileprivate init(failed code: ErrorCode) { self.init(errorCode: code) }
}

extension EndTxnResponse {
    fileprivate init(failed code: ErrorCode) { self.init(errorCode: code) }
}
