import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization

@testable import KafkaClient

/// One broker that keeps topics in memory as Kafka would, and fails where it is told to.
final class FakeCluster: Sendable {
    /// What happens to a produce request instead of being answered normally.
    enum Fault: Sendable {
        /// It is written, and the connection ends before the answer.
        case loseAnswer
        /// The connection ends before it is read.
        case loseRequest
        /// It is refused.
        case refuse(ErrorCode)
        /// The broker forgets all it knows of producers, and then takes the request as it must.
        case forgetProducers
    }

    struct State {
        var topics: [String: Int]
        var createsTopics = true
        var logs: [TopicPartition: FakeLog] = [:]
        var faults: [Fault] = []
        var nextProducerID: Int64 = 100
        /// Answers to Metadata that name no leader.
        var leaderlessAnswers = 0
    }

    let state: Mutex<State>
    private let server = Mutex<ScriptedBroker?>(nil)
    private let portCell = Mutex(0)

    init(topics: [String: Int]) {
        state = Mutex(State(topics: topics))
    }

    static func start(topics: [String: Int], faults: [Fault] = []) async throws -> FakeCluster {
        let cluster = FakeCluster(topics: topics)
        cluster.state.withLock { $0.faults = faults }
        try await cluster.listen()
        return cluster
    }

    var port: Int { portCell.withLock { $0 } }
    var broker: ScriptedBroker? { server.withLock { $0 } }

    /// Listens, on the same port as before if there was one.
    func listen() async throws {
        let broker = try await ScriptedBroker.start(port: port == 0 ? nil : port) { [self] frame in try answer(&frame) }
        portCell.withLock { $0 = broker.port }
        server.withLock { $0 = broker }
    }

    func stop() async {
        let broker = server.withLock { server in
            defer { server = nil }
            return server
        }
        await broker?.stop()
    }

    func values(_ topic: String, _ partition: Int32 = 0) throws -> [String] {
        let key = TopicPartition(topic: try TopicName(topic), partition: PartitionIndex(partition))
        return try state.withLock { $0.logs[key] }?.values() ?? []
    }

    private func answer(_ frame: inout RequestFrame) throws -> ScriptedBroker.Reply {
        switch frame.header.apiKey {
        case .apiVersions:
            return .answer(Self.versions())
        case .metadata:
            let request = try frame.decode(MetadataRequest.self)
            return .answer(state.withLock { metadata(request, &$0) })
        case .initProducerId:
            let id = state.withLock { state in
                state.nextProducerID += 1
                return state.nextProducerID
            }
            return .answer(InitProducerIdResponse(producerID: id, producerEpoch: 0))
        case .produce:
            return try produce(try frame.decode(ProduceRequest.self))
        default:
            return .hangUp
        }
    }

    static func versions() -> ApiVersionsResponse {
        ApiVersionsResponse(
            apiKeys: APIKey.allCases.map {
                ApiVersionsResponse.ApiVersion(
                    apiKey: $0.rawValue, minVersion: $0.supportedVersions.lowerBound,
                    maxVersion: $0.supportedVersions.upperBound)
            })
    }

    private func metadata(_ request: MetadataRequest, _ state: inout State) -> MetadataResponse {
        let names = request.topics?.compactMap(\.name) ?? state.topics.keys.sorted()
        let isLeaderless = state.leaderlessAnswers > 0
        if isLeaderless { state.leaderlessAnswers -= 1 }
        return MetadataResponse(
            brokers: [MetadataResponse.MetadataResponseBroker(nodeID: 1, host: "127.0.0.1", port: Int32(port))],
            clusterID: "fake", controllerID: 1,
            topics: names.map { name in
                if state.topics[name] == nil, state.createsTopics, request.allowAutoTopicCreation {
                    state.topics[name] = 1
                }
                guard let count = state.topics[name] else {
                    return MetadataResponse.MetadataResponseTopic(errorCode: .unknownTopicOrPartition, name: name)
                }
                return MetadataResponse.MetadataResponseTopic(
                    name: name,
                    partitions: (0..<Int32(count)).map {
                        MetadataResponse.MetadataResponsePartition(
                            errorCode: isLeaderless ? .leaderNotAvailable : .none, partitionIndex: $0,
                            leaderID: isLeaderless ? -1 : 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1])
                    })
            })
    }

    private func produce(_ request: ProduceRequest) throws -> ScriptedBroker.Reply {
        let fault = state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
        if case .loseRequest = fault { return .hangUp }
        var answer = ProduceResponse()
        for topic in request.topicData {
            let name = try TopicName(topic.name)
            var entry = ProduceResponse.TopicProduceResponse(name: topic.name)
            for data in topic.partitionData {
                let key = TopicPartition(topic: name, partition: PartitionIndex(data.index))
                let (code, offset) = try state.withLock { state -> (ErrorCode, Int64) in
                    if case .refuse(let code) = fault { return (code, -1) }
                    if case .forgetProducers = fault { state.logs[key]?.forgetProducers() }
                    return try state.logs[key, default: FakeLog()].append(data.records)
                }
                entry.partitionResponses.append(
                    ProduceResponse.PartitionProduceResponse(index: data.index, errorCode: code, baseOffset: offset))
            }
            answer.responses.append(entry)
        }
        if case .loseAnswer = fault { return .hangUp }
        return request.acks == 0 ? .nothing : .answer(answer)
    }
}

/// A partition that checks producers' sequences as Kafka does.
struct FakeLog: Sendable {
    private(set) var batches: [EncodedBatch] = []
    private var nextOffset: Int64 = 0
    /// By producer id: the next sequence number, and the last batch's first sequence and offset.
    private var producers: [Int64: (next: Int32, last: Int32, lastOffset: Int64)] = [:]
    private var knowsProducers = true

    mutating func forgetProducers() {
        producers = [:]
        knowsProducers = false
    }

    mutating func append(_ records: ByteBuffer?) throws -> (ErrorCode, Int64) {
        guard let records else { return (.invalidRecord, -1) }
        var batch = try EncodedBatch(validating: records)
        let header = batch.header
        if header.hasProducerID {
            if let known = producers[header.producerID] {
                if header.baseSequence == known.last { return (.none, known.lastOffset) }
                guard header.baseSequence == known.next else { return (.outOfOrderSequenceNumber, -1) }
            } else if header.baseSequence != 0 {
                return (knowsProducers ? .outOfOrderSequenceNumber : .unknownProducerID, -1)
            }
            producers[header.producerID] = (header.lastSequence &+ 1, header.baseSequence, nextOffset)
        }
        batch.assign(baseOffset: Offset(nextOffset), leaderEpoch: 0)
        batches.append(batch)
        defer { nextOffset += Int64(header.recordCount) }
        return (.none, nextOffset)
    }

    func values() throws -> [String] {
        try batches.flatMap { try $0.records() }.map { String(buffer: $0.value ?? ByteBuffer()) }
    }
}
