import RecordBatch
import Synchronization
import Testing

@testable import KafkaClient

@Suite struct BatchBufferTests {
    private func consumed(_ number: UInt64 = 0) throws -> ConsumedBatch {
        ConsumedBatch(
            topicPartition: try partition("t"), batches: [try batch(["a"])], firstOffset: 0, nextOffset: 1,
            highWatermark: 1, assignmentNumber: number)
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

    @Test func batchesOfAnEndedAssignmentAreDropped() async throws {
        let buffer = BatchBuffer(limit: 1 << 20)
        buffer.append(try consumed())
        buffer.begin(assignmentNumber: 2)
        buffer.append(try consumed(1))
        buffer.append(try consumed(2))
        #expect(try await buffer.next()?.assignmentNumber == 2)
        buffer.finish(.success(()))
        #expect(try await buffer.next() == nil)
    }

    @Test func idleMeansThatNothingHandedOutIsBeingWorkedOn() async throws {
        let buffer = BatchBuffer(limit: 1 << 20)
        buffer.append(try consumed())
        _ = try await buffer.next()
        let start = ContinuousClock.now
        try await buffer.waitUntilIdle(deadline: start + .milliseconds(20))
        #expect(.now - start >= .milliseconds(20))
        buffer.returned()
        try await buffer.waitUntilIdle(deadline: start + .seconds(60))
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
