import KafkaClient
import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization
import TestKit

/// Clients that go on while their broker is killed and started again: idempotent producers with acks=all
/// (`KafkaClient`), bare senders with acks=1 that never try again, and readers.
struct CrashLoad: Sendable {
    let port: Int
    let places: [CrashLedger.Place]
    let ledger: CrashLedger
    private let stop = StopFlag()

    private final class StopFlag: Sendable {
        let isSet = Atomic(false)
    }

    private static let inFlight = 6
    private static let recordsPerBatch = 3

    init(port: Int, places: [CrashLedger.Place], ledger: CrashLedger) {
        self.port = port
        self.places = places
        self.ledger = ledger
    }

    /// Has all clients end once what they have sent is acknowledged.
    func end() { self.stop.isSet.store(true, ordering: .releasing) }

    private var isRunning: Bool { !self.stop.isSet.load(ordering: .acquiring) }

    /// Runs until `end()`.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, codec) in [CompressionCodec.none, .lz4].enumerated() {
                group.addTask { try await self.produce(as: "idempotent\(index)", codec) }
            }
            for place in self.places {
                group.addTask { await self.send(to: place) }
                group.addTask { await self.read(place) }
            }
            try await group.waitForAll()
        }
    }

    private func produce(as source: String, _ codec: CompressionCodec) async throws {
        let cluster = Cluster(
            configuration: ClientConfiguration(
                bootstrap: [BrokerAddress(host: "127.0.0.1", port: self.port)],
                retryBackoff: .milliseconds(5)...(.milliseconds(50))),
            logger: LogLines().logger)
        let producer = Producer(
            cluster: cluster, configuration: ProducerConfiguration(batchBytes: 4_000, compression: codec))
        var pending: [(CrashRecord, CrashLedger.Place, Producer.Delivery)] = []
        var number = 0
        func settle(leaving count: Int) async throws {
            while pending.count > count {
                let (record, place, delivery) = pending.removeFirst()
                self.ledger.acknowledged(record, at: try await delivery.offset().rawValue, in: place)
            }
        }
        while self.isRunning {
            for place in self.places {
                let record = CrashRecord(source: source, number: number)
                self.ledger.sent(record, to: place)
                let delivery = try await producer.enqueue(
                    ProducerMessage(
                        topic: try TopicName(place.topic), partition: PartitionIndex(place.partition),
                        value: ByteBuffer(string: record.value)))
                pending.append((record, place, delivery))
            }
            number += 1
            try await settle(leaving: Self.inFlight * self.places.count)
        }
        try await settle(leaving: 0)
        await producer.close()
        cluster.close()
    }

    private func send(to place: CrashLedger.Place) async {
        var number = 0
        while self.isRunning {
            do {
                let client = try await RawClient.connect(port: self.port)
                while self.isRunning {
                    let batch = (0..<Self.recordsPerBatch).map {
                        CrashRecord(source: "plain\(place.partition)", number: number + $0)
                    }
                    number += batch.count
                    self.ledger.sent(batch: batch, to: place)
                    let answer = try await client.ask(Self.request(batch, place)).responses.first?.partitionResponses
                        .first
                    if let answer, answer.errorCode == .none {
                        self.ledger.acknowledged(batch: batch, at: answer.baseOffset, in: place)
                    }
                }
                await client.close()
            } catch {
                // Killed; what was under way is never sent again.
                try? await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private static func request(_ batch: [CrashRecord], _ place: CrashLedger.Place) throws -> ProduceRequest {
        var builder = RecordBatchBuilder()
        for record in batch { builder.append(timestamp: 1, key: nil, value: ByteBuffer(string: record.value)) }
        return ProduceRequest(
            acks: 1, timeoutMs: 1_000,
            topicData: [
                .init(
                    name: place.topic,
                    partitionData: [.init(index: place.partition, records: try builder.finish().bytes)])
            ])
    }

    /// Reads everything again and again, as consumers that begin at the oldest record do.
    private func read(_ place: CrashLedger.Place) async {
        while self.isRunning {
            do {
                let client = try await RawClient.connect(port: self.port)
                var next: Int64 = 0
                while self.isRunning {
                    let (records, end, reached) = try await Self.fetch(client, place, from: next)
                    for (offset, record) in records { self.ledger.seen(record, at: offset, in: place) }
                    next = reached >= end ? max(0, end - 2_000) : reached
                }
            } catch let damage as CrashDamage {
                damage.report()
            } catch {
                try? await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    /// Everything that a partition holds.
    static func readAll(
        _ client: RawClient, _ place: CrashLedger.Place
    ) async throws -> [(offset: Int64, record: CrashRecord)] {
        var all: [(offset: Int64, record: CrashRecord)] = []
        var next: Int64 = 0
        while true {
            let (records, end, reached) = try await self.fetch(client, place, from: next)
            all += records
            guard reached < end, reached > next else { return all }
            next = reached
        }
    }

    /// - Throws: ``CrashDamage`` if what comes is not whole batches of whole records.
    private static func fetch(
        _ client: RawClient, _ place: CrashLedger.Place, from offset: Int64
    ) async throws -> (records: [(offset: Int64, record: CrashRecord)], end: Int64, reached: Int64) {
        let answer = try await client.ask(
            FetchRequest(
                maxWaitMs: 20, minBytes: 1, maxBytes: 1 << 20,
                topics: [
                    .init(
                        topic: place.topic,
                        partitions: [
                            .init(partition: place.partition, fetchOffset: offset, partitionMaxBytes: 1 << 20)
                        ])
                ]))
        guard let data = answer.responses.first?.partitions.first, data.errorCode == .none else {
            throw CrashDamage("\(place): fetch from \(offset) is answered \(answer)")
        }
        guard let bytes = data.records else { return ([], data.highWatermark, offset) }
        var records: [(offset: Int64, record: CrashRecord)] = []
        var reached = offset
        do {
            for batch in try EncodedBatch.split(bytes).whole {
                for one in try batch.records() where one.offset.rawValue >= offset {
                    guard let record = CrashRecord(one.value) else {
                        throw CrashDamage("\(place): the record at \(one.offset) is damaged")
                    }
                    records.append((one.offset.rawValue, record))
                }
                reached = batch.header.nextOffset.rawValue
            }
        } catch let error as RecordBatchError {
            throw CrashDamage("\(place): fetch from \(offset) gave a damaged batch: \(error)")
        }
        return (records, data.highWatermark, reached)
    }
}
