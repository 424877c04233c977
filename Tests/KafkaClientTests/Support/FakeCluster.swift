import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization

@testable import KafkaClient

/// Brokers that keep topics in memory as Kafka would, and fail where they are told to. One of them leads everything.
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
        var leader: Int32 = 1
        var coordinator: Int32 = 1
        /// Codes to answer the next fetches of partitions with.
        var fetchFaults: [ErrorCode] = []
        /// How many fetches get records with a changed byte.
        var damagedFetches = 0
        /// How often each broker was asked to join or heartbeat, and to fetch.
        var groupRequests: [Int32: Int] = [:]
        var fetches: [Int32: Int] = [:]
        var committed: [TopicPartition: Int64] = [:]
        /// Ids of topics; those that are missing have none.
        var topicIDs: [String: KafkaUUID] = [:]
        var leaderEpoch: Int32 = 0
        /// Where leader epochs end, as the leader now sees it.
        var epochEnds: [Int32: Int64] = [:]
        /// What fetch answers name as aborted.
        var aborted: [FetchResponse.AbortedTransaction] = []
        /// Up to where committed reading sees, if not to the end.
        var lastStableOffset: Int64?
        /// Fetches are answered in this format, as brokers before Kafka 0.11 do.
        var legacyFormat: LegacyMessageFormat?
        /// The isolation levels of all fetches and offset lookups.
        var isolationLevels: Set<Int8> = []
        /// How often OffsetFetch answers UNSTABLE_OFFSET_COMMIT, and whether it was asked to.
        var unstableAnswers = 0
        var requiredStable = false
        /// Answers the next group requests of this kind with a code.
        var groupFaults: [APIKey: [ErrorCode]] = [:]
        var instanceIDs: Set<String?> = []
        var transactions: [String: FakeTransaction] = [:]
        /// What happens to the next requests of this kind to a transaction's coordinator.
        var transactionFaults: [APIKey: [Fault]] = [:]
    }

    let state: Mutex<State>
    private let servers = Mutex<[ScriptedBroker]>([])
    private let ports: Mutex<[Int]>

    init(topics: [String: Int], brokers: Int = 1) {
        state = Mutex(State(topics: topics))
        ports = Mutex([Int](repeating: 0, count: brokers))
    }

    static func start(topics: [String: Int], faults: [Fault] = [], brokers: Int = 1) async throws -> FakeCluster {
        let cluster = FakeCluster(topics: topics, brokers: brokers)
        cluster.state.withLock { $0.faults = faults }
        try await cluster.listen()
        return cluster
    }

    /// The first broker's.
    var port: Int { ports.withLock { $0[0] } }
    var broker: ScriptedBroker? { servers.withLock { $0.first } }

    /// Listens, on the same ports as before if there were any.
    func listen() async throws {
        for (index, port) in ports.withLock({ $0 }).enumerated() {
            let id = Int32(index + 1)
            let broker = try await ScriptedBroker.start(port: port == 0 ? nil : port) { [self] frame in
                try answer(&frame, from: id)
            }
            ports.withLock { $0[index] = broker.port }
            servers.withLock { $0.append(broker) }
        }
    }

    func stop() async {
        let brokers = servers.withLock { servers in
            defer { servers = [] }
            return servers
        }
        for broker in brokers { await broker.stop() }
    }

    func values(_ topic: String, _ partition: Int32 = 0) throws -> [String] {
        let key = TopicPartition(topic: try TopicName(topic), partition: PartitionIndex(partition))
        return try state.withLock { $0.logs[key] }?.values() ?? []
    }

    private func answer(_ frame: inout RequestFrame, from broker: Int32) throws -> ScriptedBroker.Reply {
        switch frame.header.apiKey {
        case .apiVersions:
            return .answer(Self.versions())
        case .metadata:
            let request = try frame.decode(MetadataRequest.self)
            return .answer(state.withLock { metadata(request, &$0) })
        case .initProducerId:
            let request = try frame.decode(InitProducerIdRequest.self)
            if request.transactionalID != nil { return initialize(request, at: broker) }
            let id = state.withLock { state in
                state.nextProducerID += 1
                return state.nextProducerID
            }
            return .answer(InitProducerIdResponse(producerID: id, producerEpoch: 0))
        case .produce:
            return try produce(try frame.decode(ProduceRequest.self))
        default:
            return try answerConsumer(&frame, from: broker)
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

    var portsOfBrokers: [Int] { ports.withLock { $0 } }

    private func metadata(_ request: MetadataRequest, _ state: inout State) -> MetadataResponse {
        let names = request.topics?.compactMap(\.name) ?? state.topics.keys.sorted()
        let isLeaderless = state.leaderlessAnswers > 0
        if isLeaderless { state.leaderlessAnswers -= 1 }
        return MetadataResponse(
            brokers: ports.withLock { ports in
                ports.enumerated().map { index, port in
                    MetadataResponse.MetadataResponseBroker(
                        nodeID: Int32(index + 1), host: "127.0.0.1", port: Int32(port))
                }
            },
            clusterID: "fake", controllerID: 1,
            topics: names.map { name in
                if state.topics[name] == nil, state.createsTopics, request.allowAutoTopicCreation {
                    state.topics[name] = 1
                }
                guard let count = state.topics[name] else {
                    return MetadataResponse.MetadataResponseTopic(errorCode: .unknownTopicOrPartition, name: name)
                }
                return MetadataResponse.MetadataResponseTopic(
                    name: name, topicID: state.topicIDs[name] ?? .zero,
                    partitions: (0..<Int32(count)).map {
                        MetadataResponse.MetadataResponsePartition(
                            errorCode: isLeaderless ? .leaderNotAvailable : .none, partitionIndex: $0,
                            leaderID: isLeaderless ? -1 : state.leader, leaderEpoch: state.leaderEpoch,
                            replicaNodes: [1], isrNodes: [1]
                        )
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
    private var producers: [Int64: (epoch: Int16, next: Int32, last: Int32, lastOffset: Int64)] = [:]
    private var knowsProducers = true

    mutating func forgetProducers() {
        producers = [:]
        knowsProducers = false
    }

    /// Cuts back, as an unclean election does. What was written by an idempotent producer is forgotten with it.
    mutating func truncate(to offset: Int64) {
        batches.removeAll { $0.header.baseOffset.rawValue >= offset }
        nextOffset = offset
    }

    /// Adds a batch as it is, except for its offset.
    mutating func place(_ batch: EncodedBatch) {
        var batch = batch
        batch.assign(baseOffset: Offset(nextOffset), leaderEpoch: 0)
        batches.append(batch)
        nextOffset = batch.header.nextOffset.rawValue
    }

    mutating func append(_ records: ByteBuffer?) throws -> (ErrorCode, Int64) {
        guard let records else { return (.invalidRecord, -1) }
        var batch = try EncodedBatch(validating: records)
        let header = batch.header
        if header.hasProducerID {
            if let known = producers[header.producerID], known.epoch > header.producerEpoch {
                return (.invalidProducerEpoch, -1)
            } else if let known = producers[header.producerID], known.epoch == header.producerEpoch {
                if header.baseSequence == known.last { return (.none, known.lastOffset) }
                guard header.baseSequence == known.next else { return (.outOfOrderSequenceNumber, -1) }
            } else if header.baseSequence != 0 {
                return (knowsProducers ? .outOfOrderSequenceNumber : .unknownProducerID, -1)
            }
            producers[header.producerID] = (
                header.producerEpoch, header.lastSequence &+ 1, header.baseSequence, nextOffset
            )
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
