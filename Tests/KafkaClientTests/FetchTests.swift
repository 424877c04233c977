import KafkaProtocol
import NIOCore
import RecordBatch
import Testing

@testable import KafkaClient

@Suite struct FetchTests {
    private func positions(_ starts: [TopicPartition: Offset], _ partitions: [TopicPartition]) -> FetchPositions {
        FetchPositions(
            partitions: partitions, starts: starts, maximumBytes: 1024, backoff: .milliseconds(100)...(.seconds(1)))
    }

    private func records(_ batches: [(Offset, EncodedBatch)]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for (offset, batch) in batches {
            var batch = batch
            batch.assign(baseOffset: offset, leaderEpoch: 0)
            buffer.writeImmutableBuffer(batch.bytes)
        }
        return buffer
    }

    @Test func partitionsAreAskedForInTurn() throws {
        let all = try [partition("t", 0), partition("t", 1), partition("t", 2)]
        var positions = positions([all[0]: 5, all[1]: 6, all[2]: 7], all)
        let now = ContinuousClock.now
        #expect(positions.due(now: now) { _ in true }.map(\.partition) == all)
        #expect(positions.due(now: now) { _ in true }.map(\.partition) == [all[1], all[2], all[0]])
        #expect(positions.due(now: now) { $0 == all[1] }.map(\.offset) == [6])
    }

    @Test func partitionWithAnErrorIsLeftAloneForAWhile() throws {
        let all = try [partition("t", 0), partition("t", 1)]
        var positions = positions([all[0]: 5], all)
        #expect(positions.unresolved == [all[1]])
        let now = ContinuousClock.now
        positions.postpone(all[0], now: now)
        #expect(positions.due(now: now) { _ in true }.isEmpty)
        let retry = try #require(positions.nextRetry { _ in true })
        #expect(positions.due(now: retry) { _ in true }.map(\.partition) == [all[0]])
        positions.lose(all[0])
        #expect(positions.unresolved == all)
        positions.move(all[0], to: 9)
        #expect(positions.due(now: now) { _ in true }.map(\.offset) == [9])
    }

    @Test func answerIsCutIntoBatchesFromThePositionOn() throws {
        let bytes = records([(0, try batch(["a", "b"])), (2, try batch(["c", "d", "e"])), (7, try batch(["f"]))])
        let fetched = FetchedRecords(bytes, from: 3)
        #expect(fetched.batches.count == 2)
        #expect(fetched.nextOffset == 8)
        #expect(fetched.damage == nil)
        let consumed = ConsumedBatch(
            topicPartition: try partition("t"), batches: fetched.batches, firstOffset: 3,
            nextOffset: fetched.nextOffset, highWatermark: 8)
        #expect(try consumed.records.map(\.offset) == [3, 4, 7])
        var walked: [Offset] = []
        try consumed.forEachRecord { walked.append($0.offset) }
        #expect(walked == [3, 4, 7])
    }

    @Test func halfABatchAtTheEndIsLeftForTheNextFetch() throws {
        var bytes = records([(0, try batch(["a"])), (1, try batch(["b"]))])
        bytes.moveWriterIndex(to: bytes.writerIndex - 1)
        let fetched = FetchedRecords(bytes, from: 0)
        #expect(fetched.batches.count == 1 && fetched.nextOffset == 1 && !fetched.isCutShort)
        let rest = try #require(bytes.getSlice(at: fetched.batches[0].bytes.readableBytes, length: 65))
        #expect(FetchedRecords(rest, from: 1).isCutShort)
        #expect(FetchedRecords(nil, from: 1).nextOffset == 1)
    }

    @Test func intactBatchesBeforeADamagedOneAreKept() throws {
        var bytes = records([(0, try batch(["a"])), (1, try batch(["b"]))])
        bytes.setInteger(UInt8(0xff), at: bytes.writerIndex - 2)
        let fetched = FetchedRecords(bytes, from: 0)
        #expect(fetched.batches.count == 1 && fetched.nextOffset == 1)
        #expect(fetched.damage != nil)
    }

    @Test func transactionMarkersAreSkipped() throws {
        var builder = RecordBatchBuilder(isTransactional: true, isControl: true)
        builder.append(timestamp: 0, key: ByteBuffer(integer: Int32(1)), value: ByteBuffer(integer: Int32(0)))
        let marker = try builder.finish()
        let fetched = FetchedRecords(records([(0, try batch(["a"])), (1, marker)]), from: 0)
        #expect(fetched.batches.count == 1)
        #expect(fetched.nextOffset == 2)
    }
}
