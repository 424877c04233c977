import KafkaProtocol
import RecordBatch
import Synchronization
import Testing

@testable import KafkaClient

@Suite struct BatchBufferTests {
    private func consumed(_ index: Int32 = 0, at offset: Offset = 0) throws -> ConsumedBatch {
        ConsumedBatch(
            topicPartition: try partition("t", index), batches: [try batch(["a"])], firstOffset: offset,
            nextOffset: offset.advanced(by: 1), highWatermark: 9)
    }

    @Test func fetchingWaitsWhileTooMuchIsThere() async throws {
        let buffer = BatchBuffer(limit: 1)
        try await buffer.waitForRoom()
        buffer.append(try consumed())
        let hasRoom = OneShot<Void>()
        let waiting = Task {
            try await buffer.waitForRoom()
            hasRoom.complete(.success(()))
        }
        await Task.yield()
        #expect(!hasRoom.isDone)
        _ = try await buffer.next()
        try await waiting.value
    }

    @Test func batchesOfPartitionsThatWereGivenUpAreDropped() async throws {
        let buffer = BatchBuffer(limit: 1)
        for (index, offset) in [(Int32(1), Offset(5)), (2, 0), (1, 6)] {
            buffer.append(try consumed(index, at: offset))
        }
        let given = try partition("t", 1)
        #expect(buffer.drop { $0 == given } == [given: 5])
        #expect(try await buffer.next()?.topicPartition == partition("t", 2))
        // What was dropped takes no room.
        try await buffer.waitForRoom()
        buffer.finish(.success(()))
        #expect(try await buffer.next() == nil)
    }

    @Test func idleMeansThatNothingOfThePartitionsIsBeingWorkedOn() async throws {
        let buffer = BatchBuffer(limit: 1 << 20)
        buffer.append(try consumed())
        _ = try await buffer.next()
        let start = ContinuousClock.now
        try await buffer.waitUntilIdle([try partition("t", 1)], deadline: start + .seconds(60))
        try await buffer.waitUntilIdle([try partition("t")], deadline: start + .milliseconds(20))
        #expect(.now - start >= .milliseconds(20))
        buffer.returned(try partition("t"))
        try await buffer.waitUntilIdle([try partition("t")], deadline: start + .seconds(60))
    }

    @Test func waitingForABatchCanBeCancelled() async throws {
        let buffer = BatchBuffer(limit: 1)
        let waiting = Task { try await buffer.next() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    @Test func failureReachesWhoeverWaits() async throws {
        let buffer = BatchBuffer(limit: 1)
        let waiting = Task { try await buffer.next() }
        buffer.finish(.failure(KafkaClientError.closed))
        await #expect(throws: KafkaClientError.closed) { try await waiting.value }
    }
}
