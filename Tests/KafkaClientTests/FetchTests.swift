import KafkaProtocol
import NIOCore
import RecordBatch
import Testing

@testable import KafkaClient

@Suite struct FetchTests {
    private func positions(_ starts: [TopicPartition: Offset], _ partitions: [TopicPartition]) -> FetchPositions {
        var positions = FetchPositions(maximumBytes: 1024, backoff: .milliseconds(100)...(.seconds(1)))
        positions.assign(partitions, starts: starts)
        return positions
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
        let now = ContinuousClock.now
        #expect(Array(positions.unresolved(.committed, now: now).keys) == [all[1]])
        positions.postpone(all[0], now: now)
        #expect(positions.due(now: now) { _ in true }.isEmpty)
        let retry = try #require(positions.nextRetry { _ in true })
        let wanted = positions.due(now: retry) { _ in true }
        #expect(wanted.map(\.partition) == [all[0]])
        positions.lose(all[0], number: wanted[0].number)
        #expect(Array(positions.unresolved(.reset, now: now).keys) == [all[0]])
        positions.resolve(all[0], number: wanted[0].number, to: .at(9))
        #expect(positions.due(now: now) { _ in true }.map(\.offset) == [9])
    }

    @Test func answersToOldQuestionsAreOfNoUse() throws {
        let only = try partition("t")
        var positions = positions([only: 5], [only])
        let now = ContinuousClock.now
        func advance(_ wanted: FetchPositions.Wanted, _ offset: Offset) -> Bool {
            positions.advance(wanted, to: offset, epoch: 0)
        }
        let before = positions.due(now: now) { _ in true }[0]
        let isRead = positions.seek(only, to: 2)
        #expect(isRead)
        #expect(!advance(before, 8))
        let after = positions.due(now: now) { _ in true }[0]
        #expect(after.offset == 2)
        #expect(advance(after, 3))
        #expect(!advance(after, 3))
        positions.remove([only])
        positions.assign([only], starts: [only: 3])
        #expect(!advance(after, 4))
        let isOtherRead = positions.seek(try partition("other"), to: 2)
        #expect(!isOtherRead)
    }

    @Test func pausedPartitionGoesOnWhereNothingWasHandedOut() throws {
        let only = try partition("t")
        var positions = positions([only: 5], [only])
        let now = ContinuousClock.now
        let wanted = positions.due(now: now) { _ in true }[0]
        let isTaken = positions.advance(wanted, to: 9, epoch: 0)
        #expect(isTaken)
        positions.pause(only, backTo: 7)
        #expect(positions.paused == [only])
        #expect(positions.due(now: now) { _ in true }.isEmpty)
        positions.resume(only)
        #expect(positions.due(now: now) { _ in true }.map(\.offset) == [7])
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

    // MARK: Transactions

    private func transactional(_ values: [String], producer: Int64) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(producerID: producer, producerEpoch: 0, baseSequence: 0, isTransactional: true)
        for value in values { builder.append(timestamp: 0, key: nil, value: bytes(value)) }
        return try builder.finish()
    }

    private func marker(_ type: ControlRecordType, producer: Int64) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(
            producerID: producer, producerEpoch: 0, isTransactional: true, isControl: true)
        builder.append(
            timestamp: 0, key: try ControlRecordKey(type: type.rawValue).versionedBytes(version: 0),
            value: ByteBuffer(integer: Int32(0)))
        return try builder.finish()
    }

    private func values(_ fetched: FetchedRecords) throws -> [String] {
        try fetched.batches.flatMap { try $0.records() }.map { String(buffer: $0.value ?? ByteBuffer()) }
    }

    /// Two producers, 7 and 8, whose transactions overlap: 7 aborts one and commits the next, 8 commits.
    private func overlapping() throws -> ByteBuffer {
        records([
            (0, try transactional(["a", "b"], producer: 7)), (2, try transactional(["x"], producer: 8)),
            (3, try batch(["plain"])), (4, try marker(.abort, producer: 7)),
            (5, try transactional(["c"], producer: 7)), (6, try marker(.commit, producer: 8)),
            (7, try marker(.commit, producer: 7)), (8, try transactional(["d"], producer: 7)),
            (9, try marker(.abort, producer: 7)),
        ])
    }

    @Test func abortedTransactionsAreLeftOutAndPassed() throws {
        let aborted = [(0, 7), (8, 7)].map { offset, producer in
            FetchResponse.AbortedTransaction(producerID: Int64(producer), firstOffset: Int64(offset))
        }
        let fetched = FetchedRecords(try overlapping(), from: 0, abortedTransactions: aborted.reversed())
        #expect(try values(fetched) == ["x", "plain", "c"])
        #expect(fetched.nextOffset == 10)
        // From within the aborted transaction on.
        var rest = try overlapping()
        let first = try RecordBatchHeader(reading: rest, at: rest.readerIndex)
        rest.moveReaderIndex(forwardBy: first.totalByteCount)
        let later = FetchedRecords(rest, from: 2, abortedTransactions: aborted)
        #expect(try values(later) == ["x", "plain", "c"])
        // Uncommitted reading keeps all but the markers.
        #expect(try values(FetchedRecords(try overlapping(), from: 0)) == ["a", "b", "x", "plain", "c", "d"])
    }

    // MARK: Old formats

    private func messageSet(_ format: LegacyMessageFormat, _ batches: [(Offset, EncodedBatch)]) throws -> ByteBuffer {
        var writer = LegacyMessageSetWriter(format: format, from: 0, maximumBytes: .max)
        try writer.append(records(batches))
        return writer.bytes
    }

    @Test(arguments: [LegacyMessageFormat.v0, .v1])
    func messageSetsOfOldFormatsBecomeBatchesWithTheirOffsets(format: LegacyMessageFormat) throws {
        // Offset 2 is missing, as compaction leaves it.
        let bytes = try messageSet(format, [(0, try batch(["a", "b"])), (3, try batch(["c", "d"]))])
        let fetched = FetchedRecords(bytes, from: 1)
        #expect(fetched.batches.map(\.header.baseOffset) == [1, 3])
        #expect(try values(fetched) == ["b", "c", "d"])
        #expect(fetched.nextOffset == 5 && fetched.damage == nil)
        let timestamps = try fetched.batches.flatMap { try $0.records() }.map(\.timestamp)
        #expect(timestamps == (format == .v0 ? [-1, -1, -1] : [1001, 1000, 1001]))
    }

    @Test func logThatWasUpgradedHasBothFormats() throws {
        var bytes = try messageSet(.v1, [(0, try batch(["a", "b"]))])
        var newer = records([(2, try batch(["c"]))])
        bytes.writeBuffer(&newer)
        let half = try messageSet(.v1, [(3, try batch(["d"]))])
        bytes.writeBytes(half.readableBytesView.dropLast(3))
        let fetched = FetchedRecords(bytes, from: 0)
        #expect(try values(fetched) == ["a", "b", "c"])
        #expect(fetched.nextOffset == 3 && !fetched.isCutShort && fetched.damage == nil)
    }

    // MARK: Damage

    @Test func placeBehindADamagedBatchIsFound() throws {
        let good = [(Offset(0), try batch(["a"])), (1, try batch(["b", "c"])), (3, try batch(["d"]))]
        let first = try batch(["a"]).bytes.readableBytes
        // A changed record: the next batch is intact and says where it begins.
        var bytes = records(good)
        bytes.setInteger(UInt8(0xff), at: first + 62)
        #expect(FetchedRecords(bytes, from: 0).offsetBehindDamage == 3)
        // Nothing behind it: its header says where it ends.
        var alone = records(Array(good.prefix(2)))
        alone.setInteger(UInt8(0xff), at: first + 62)
        #expect(FetchedRecords(alone, from: 0).offsetBehindDamage == 3)
        // An impossible length: nothing is known of what follows.
        var torn = records(good)
        torn.setInteger(Int32(-5), at: first + 8)
        let fetched = FetchedRecords(torn, from: 0)
        #expect(fetched.nextOffset == 1 && fetched.damage != nil && fetched.offsetBehindDamage == 2)
    }
}
