import CommitLog
import CoreMetrics
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch
import Synchronization
import TestKit

@testable import Broker

/// Runs a broker on a free port for the time of `body`.
@discardableResult
func withBroker<Result>(
    in directory: TemporaryDirectory, log: LogLines = LogLines(), fileSystem: any FileSystem = FaultyFileSystem(),
    clock: BrokerClock = .system, metrics: any MetricsFactory = NOOPMetricsHandler.instance,
    configure: (inout BrokerConfiguration) -> Void = { _ in },
    _ body: (RunningTestBroker) async throws -> Result
) async throws -> Result {
    var configuration = BrokerConfiguration(dataDirectory: directory.appending("data"), port: try freePort())
    configure(&configuration)
    let service = BrokerService(
        configuration: configuration, logger: log.logger, clock: clock, fileSystem: fileSystem,
        metrics: metrics)
    let running = Task { try await service.run() }
    do {
        let result = try await body(RunningTestBroker(service: service, port: try await service.listening(), log: log))
        running.cancel()
        try await running.value
        return result
    } catch {
        (fileSystem as? FaultyFileSystem)?.heal()
        running.cancel()
        _ = await running.result
        throw error
    }
}

/// A broker that listens.
struct RunningTestBroker: Sendable {
    let service: BrokerService
    let port: Int
    let log: LogLines

    func connect() async throws -> RawClient { try await RawClient.connect(port: self.port) }
}

/// Requests that tests send often.
enum Requests {
    static func batch(
        _ values: [String], key: String? = nil, timestamp: Int64 = 1_000, codec: CompressionCodec = .none,
        producerID: Int64 = -1, epoch: Int16 = -1, sequence: Int32 = -1
    ) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(
            compression: codec, producerID: producerID, producerEpoch: epoch, baseSequence: sequence)
        for value in values {
            builder.append(
                timestamp: timestamp, key: key.map { ByteBuffer(string: $0) }, value: ByteBuffer(string: value))
        }
        return try builder.finish()
    }

    static func produce(
        _ batch: EncodedBatch, to topic: String, partition: Int32 = 0, acks: Int16 = -1
    ) -> ProduceRequest {
        ProduceRequest(
            acks: acks, timeoutMs: 1_000,
            topicData: [.init(name: topic, partitionData: [.init(index: partition, records: batch.bytes)])])
    }

    static func produce(_ values: [String], to topic: String, partition: Int32 = 0, acks: Int16 = -1) throws
        -> ProduceRequest
    {
        self.produce(try self.batch(values), to: topic, partition: partition, acks: acks)
    }

    /// For Produce 0–2.
    static func legacyProduce(
        _ values: [String], to topic: String, format: LegacyMessageFormat = .v0, timestamp: Int64 = 1_000
    ) throws -> ProduceRequest {
        var set = LegacyMessageSetWriter(format: format, from: 0, maximumBytes: .max)
        try set.append(try self.batch(values, key: "k", timestamp: timestamp).bytes)
        return ProduceRequest(
            acks: -1, topicData: [.init(name: topic, partitionData: [.init(index: 0, records: set.bytes)])])
    }

    static func fetch(
        _ topic: String, partition: Int32 = 0, from offset: Int64 = 0, waitMs: Int32 = 0, minBytes: Int32 = 1,
        maxBytes: Int32 = 1 << 20
    ) -> FetchRequest {
        FetchRequest(
            maxWaitMs: waitMs, minBytes: minBytes, maxBytes: maxBytes,
            topics: [
                .init(
                    topic: topic,
                    partitions: [.init(partition: partition, fetchOffset: offset, partitionMaxBytes: maxBytes)])
            ])
    }

    static func metadata(_ topics: [String]?, create: Bool = true) -> MetadataRequest {
        MetadataRequest(topics: topics?.map { .init(name: $0) }, allowAutoTopicCreation: create)
    }
}

extension ProduceResponse {
    var only: PartitionProduceResponse {
        self.responses.first?.partitionResponses.first ?? .init(errorCode: .unknownServerError)
    }
}

extension FetchResponse {
    var only: PartitionData { self.responses.first?.partitions.first ?? .init(errorCode: .unknownServerError) }

    /// The values of all records of the only partition.
    var values: [String] {
        get throws {
            guard let bytes = self.only.records else { return [] }
            return try EncodedBatch.split(bytes).whole.flatMap { try $0.records() }
                .map { $0.value.map { String(buffer: $0) } ?? "" }
        }
    }
}
