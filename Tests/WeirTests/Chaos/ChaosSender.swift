import Glibc
import KafkaClient
import KafkaProtocol
import MetricModel
import NIOCore
import RecordBatch
import TestKit

/// A host whose records never cease, and go into all partitions: whoever is stopped has some of them in hand. It numbers
/// them as an agent does, and sends each until the cluster has it. Some go into two partitions at once, so that two
/// subscribers may have the same record in hand.
actor ChaosSender {
    private(set) var ledger: ChaosLedger
    private let instance: String
    private let partitions: [TopicPartition]
    private let producer: Producer
    private var random: SeededRandom
    private var sequences: [TopicName: Int64] = [:]
    private var isEnding = false

    private static let pause = 10...40
    /// One record of so many is sent twice.
    private static let twice = 20

    init(_ cluster: Cluster, instance: String, partitions: [TopicPartition], start: Int64, random: SeededRandom) {
        self.instance = instance
        self.partitions = partitions
        self.random = random
        producer = Producer(cluster: cluster)
        ledger = ChaosLedger(
            instance: instance, topics: Set(partitions.map(\.topic.rawValue)).sorted(), start: start,
            linesPerRecord: 1...3)
    }

    /// Sends until `end()`, and then until everything is sent.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            while !isEnding {
                for message in makeRecord() {
                    group.addTask { [producer] in try await Self.send(message, producer) }
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: Self.pause, using: &random)))
            }
            try await group.waitForAll()
        }
        await producer.close(within: .seconds(1))
    }

    func end() { isEnding = true }

    private static func send(_ message: ProducerMessage, _ producer: Producer) async throws {
        while true {
            do {
                _ = try await producer.send(message)
                return
            } catch let error as KafkaClientError where error != .closed {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func makeRecord() -> [ProducerMessage] {
        let first = partitions[Int.random(in: partitions.indices, using: &random)]
        var targets = [first]
        if Int.random(in: 0..<Self.twice, using: &random) == 0 {
            targets += partitions.filter { $0.topic == first.topic && $0 != first }.shuffled(using: &random).prefix(1)
        }
        let sequence = sequences[first.topic, default: 0]
        sequences[first.topic] = sequence + 1
        let text = ledger.record(for: first.topic.rawValue, using: &random)
        let headers = [("weir-agent", "chaos-\(instance)"), ("weir-epoch", "0"), ("weir-sequence", "\(sequence)")]
        return targets.map { target in
            ProducerMessage(
                topic: target.topic, partition: target.partition, key: ByteBuffer(string: instance),
                value: ByteBuffer(string: text),
                headers: headers.map { RecordHeader(key: $0.0, value: ByteBuffer(string: $0.1)) },
                timestamp: ChaosPublisher.noTime.milliseconds)
        }
    }
}
