import RecordBatch
import Testing

@testable import KafkaClient

@Suite struct PartitionQueueTests {
    private let start = ContinuousClock.now

    private func add(_ queue: inout PartitionQueue, bytes: Int, at time: Duration = .zero) throws {
        queue.append(
            OutgoingBatch.TimedMessage(
                message: ProducerMessage(topic: try topic("t"), value: nil), timestamp: 0),
            bytes: bytes, delivered: OneShot(), now: start + time)
    }

    private func count(_ next: PartitionQueue.Next) throws -> Int32? {
        guard case .batch(let batch) = next else { return nil }
        return try batch.encoded(compression: .none).header.recordCount
    }

    @Test func withoutLingerABatchIsWhatCameMeanwhile() throws {
        var queue = PartitionQueue(linger: .zero, batchBytes: 100)
        try add(&queue, bytes: 10)
        #expect(try count(queue.next(now: start)) == 1)
        for _ in 0..<5 { try add(&queue, bytes: 10) }
        #expect(try count(queue.next(now: start)) == 5)
        #expect(try count(queue.next(now: start)) == nil)
    }

    @Test func batchLingersUntilItIsDueOrFullOrFlushed() throws {
        var queue = PartitionQueue(linger: .seconds(1), batchBytes: 100)
        try add(&queue, bytes: 40)
        guard case .lingers(let due) = queue.next(now: start) else {
            Issue.record("does not linger")
            return
        }
        #expect(due == start + .seconds(1))
        #expect(try count(queue.next(now: due)) == 1)
        for _ in 0..<3 { try add(&queue, bytes: 40) }
        // Two fit; the third opened the next batch.
        #expect(try count(queue.next(now: start)) == 2)
        #expect(try count(queue.next(now: start)) == nil)
        #expect(queue.flush() == 3)
        #expect(try count(queue.next(now: start)) == 1)
    }

    @Test func recordLargerThanABatchGoesAlone() throws {
        var queue = PartitionQueue(linger: .zero, batchBytes: 100)
        try add(&queue, bytes: 10)
        try add(&queue, bytes: 500)
        try add(&queue, bytes: 10)
        #expect(try (0..<3).map { _ in try count(queue.next(now: start)) } == [1, 1, 1])
    }

    @Test func encodedBatchKeepsItsPlaceAmongRecords() throws {
        var queue = PartitionQueue(linger: .zero, batchBytes: 100)
        try add(&queue, bytes: 10)
        queue.append(try batch(["x", "y", "z"]), delivered: OneShot(), now: start)
        try add(&queue, bytes: 10)
        #expect(try (0..<3).map { _ in try count(queue.next(now: start)) } == [1, 3, 1])
    }

    @Test func sequenceNumbersWrapToZero() {
        var sequence = ProducerSequence()
        #expect(!sequence.isValid)
        sequence.start(ProducerIdentity(id: 7, epoch: 0))
        sequence.advance(by: .max)
        #expect(sequence.next == .max)
        sequence.advance(by: 1)
        #expect(sequence.next == 0)
        sequence.advance(by: .max)
        sequence.advance(by: 3)
        #expect(sequence.next == 2)
    }
}
