import KafkaClient
import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit

/// Sends records of the topics once more, as a mirror that starts over does: with the agent's headers, at new offsets, and into any
/// partition of their topic.
struct ChaosMirror {
    let cluster: Cluster
    let partitions: [TopicPartition]
    var random: SeededRandom

    /// Until cancelled. What the broker does not take is not missed.
    mutating func run() async {
        let producer = Producer(cluster: cluster)
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...200, using: &random)))
                try await resend(from: partitions.randomElement(using: &random), producer)
            } catch {}
        }
        await producer.close(within: .seconds(1))
    }

    private mutating func resend(from partition: TopicPartition?, _ producer: Producer) async throws {
        guard let partition, let end = try await Admin(cluster: cluster).endOffsets([partition])[partition], end > 0
        else { return }
        // Old ones, and as often those that came just now, which the other subscriber may have in hand.
        let oldest = Bool.random(using: &random) ? 0 : max(0, end.rawValue - 40)
        let start = Offset(Int64.random(in: oldest..<end.rawValue, using: &random))
        let consumer = PartitionConsumer(cluster: cluster, starts: [partition: start])
        defer { consumer.close() }
        for try await batch in consumer {
            for record in try batch.records.prefix(Int.random(in: 1...60, using: &random)) {
                let target = partitions.filter { $0.topic == partition.topic }.randomElement(using: &random)
                _ = try await producer.enqueue(
                    ProducerMessage(
                        topic: partition.topic, partition: target?.partition, key: record.key,
                        value: record.value ?? ByteBuffer(), headers: record.headers, timestamp: record.timestamp))
            }
            return
        }
    }
}
