import NIOCore
import RecordBatch
import Testing

@testable import CommitLog

@Suite struct ProducerStatesTests {
    private static func header(
        _ sequence: Int32, count: Int = 1, epoch: Int16 = 0, id: Int64 = 7, isTransactional: Bool = false
    ) throws -> RecordBatchHeader {
        var builder = RecordBatchBuilder(
            producerID: id, producerEpoch: epoch, baseSequence: sequence, isTransactional: isTransactional)
        for number in 0..<count { builder.append(timestamp: 0, key: nil, value: ByteBuffer(string: "\(number)")) }
        return try builder.finish().header
    }

    /// Appends batches of one record each, from sequence 0 and offset 100 on.
    private static func states(after count: Int32, limit: Int = 100) throws -> ProducerStates {
        var states = ProducerStates(limit: limit)
        for sequence in 0..<count {
            let header = try Self.header(sequence)
            #expect(states.verdict(on: header) == .append)
            states.record(header, at: Offset(100 + Int64(sequence)), now: Int64(sequence))
        }
        return states
    }

    @Test func batchesWithoutProducerIDAreNotRemembered() throws {
        var states = ProducerStates(limit: 10)
        let header = try LogMaking.batch(["x"]).header
        #expect(states.verdict(on: header) == .append)
        states.record(header, at: 0, now: 0)
        #expect(states.verdict(on: header) == .append)
        #expect(states.count == 0)
    }

    @Test func eachOfTheLastFiveBatchesIsRecognisedWithItsOffset() throws {
        let states = try Self.states(after: 8)
        for sequence in Int32(3)...7 {
            guard case .duplicate(let trace) = states.verdict(on: try Self.header(sequence)) else {
                Issue.record("sequence \(sequence) was not recognised")
                continue
            }
            #expect(trace.baseOffset == Offset(100 + Int64(sequence)))
            #expect(trace.nextOffset == Offset(101 + Int64(sequence)))
        }
        #expect(states.verdict(on: try Self.header(2)) == .refuse(.outOfOrder))
    }

    @Test func aGapIsRefused() throws {
        let states = try Self.states(after: 3)
        #expect(states.verdict(on: try Self.header(4)) == .refuse(.outOfOrder))
        #expect(states.verdict(on: try Self.header(3)) == .append)
    }

    @Test func aBatchThatIsLikeAnEarlierOneOnlyInPartIsRefused() throws {
        let states = try Self.states(after: 3)
        #expect(states.verdict(on: try Self.header(2, count: 2)) == .refuse(.outOfOrder))
    }

    @Test func aNewEpochBeginsAtZeroAndFencesTheOldOne() throws {
        var states = try Self.states(after: 3)
        #expect(states.verdict(on: try Self.header(3, epoch: 1)) == .refuse(.outOfOrder))
        let first = try Self.header(0, epoch: 1)
        #expect(states.verdict(on: first) == .append)
        states.record(first, at: 200, now: 0)
        #expect(states.verdict(on: try Self.header(3)) == .refuse(.fenced))
    }

    @Test func sequencesWrapAround() throws {
        var states = ProducerStates(limit: 10)
        let last = try Self.header(.max - 1, count: 2)
        states.record(last, at: 0, now: 0)
        #expect(states.verdict(on: try Self.header(0)) == .append)
        #expect(states.verdict(on: try Self.header(1)) == .refuse(.outOfOrder))

        let across = try Self.header(.max, count: 3)
        #expect(across.lastSequence == 1)
        states.record(across, at: 2, now: 0)
        #expect(states.verdict(on: try Self.header(2)) == .append)
    }

    @Test func anUnknownProducerMayBeginAnywhere() throws {
        let states = ProducerStates(limit: 10)
        #expect(states.verdict(on: try Self.header(41)) == .append)
    }

    @Test func theProducerUnheardOfForLongestIsForgotten() throws {
        var states = ProducerStates(limit: 8)
        for id in Int64(0)..<11 { states.record(try Self.header(5, id: id), at: Offset(id), now: id) }
        #expect(states.count == 8)
        #expect(states.verdict(on: try Self.header(9, id: 0)) == .append)
        #expect(states.verdict(on: try Self.header(9, id: 10)) == .refuse(.outOfOrder))
    }

    // MARK: Transactions

    private static func marker(isCommit: Bool, epoch: Int16 = 0, id: Int64 = 7) throws -> (
        TransactionMarker, RecordBatchHeader
    ) {
        var builder = RecordBatchBuilder(producerID: id, producerEpoch: epoch, isTransactional: true, isControl: true)
        builder.append(
            timestamp: 0, key: ByteBuffer(bytes: [0, 0, 0, isCommit ? 1 : 0]),
            value: ByteBuffer(bytes: [0, 0, 0, 0, 0, 9]))
        let batch = try builder.finish()
        return (try #require(try TransactionMarker(batch)), batch.header)
    }

    @Test func theFirstUnstableOffsetIsThatOfTheOldestTransactionWhoseEndNobodyCanSee() throws {
        var states = ProducerStates(limit: 10)
        #expect(states.firstUnstableOffset == nil)
        #expect(states.verdict(on: try Self.header(0, id: 1, isTransactional: true)) == .appendBeginningTransaction)
        states.record(try Self.header(0, id: 1, isTransactional: true), at: 10, now: 0)
        states.record(try Self.header(0, id: 2, isTransactional: true), at: 20, now: 0)
        #expect(states.verdict(on: try Self.header(1, id: 1, isTransactional: true)) == .append)
        #expect(states.firstUnstableOffset == 10)
        let (commit, header) = try Self.marker(isCommit: true, id: 1)
        #expect(states.end(commit, header, at: 30, now: 0) == nil)
        #expect(states.firstUnstableOffset == 10)
        states.markersAreVisible(before: 30)
        #expect(states.firstUnstableOffset == 10)
        states.markersAreVisible(before: 31)
        #expect(states.firstUnstableOffset == 20)
        let (abort, abortHeader) = try Self.marker(isCommit: false, id: 2)
        #expect(
            states.end(abort, abortHeader, at: 31, now: 0)
                == AbortedTransaction(producerID: 2, firstOffset: 20, lastOffset: 31, lastStableOffset: 32))
        states.markersAreVisible(before: 32)
        #expect(states.firstUnstableOffset == nil)
        #expect(states[2]?.coordinatorEpoch == 9)
    }

    @Test func withinATransactionOnlyTransactionalBatchesAreTaken() throws {
        var states = ProducerStates(limit: 10)
        states.record(try Self.header(0, isTransactional: true), at: 0, now: 0)
        #expect(states.verdict(on: try Self.header(1)) == .refuse(.outsideTransaction))
    }

    @Test func aMarkerWithANewEpochFencesTheProducer() throws {
        var states = ProducerStates(limit: 10)
        states.record(try Self.header(0, isTransactional: true), at: 0, now: 0)
        let (abort, header) = try Self.marker(isCommit: false, epoch: 1)
        #expect(states.needsMarker(producerID: 7, epoch: 1))
        _ = states.end(abort, header, at: 1, now: 0)
        #expect(!states.needsMarker(producerID: 7, epoch: 1))
        #expect(states.verdict(on: try Self.header(1, isTransactional: true)) == .refuse(.fenced))
        #expect(states.verdict(on: try Self.header(0, epoch: 2)) == .append)
    }

    @Test func aProducerWithAnOpenTransactionIsNeverForgotten() throws {
        var states = ProducerStates(limit: 8)
        states.record(try Self.header(0, id: 100, isTransactional: true), at: 0, now: 0)
        for id in Int64(0)..<20 { states.record(try Self.header(5, id: id), at: Offset(id), now: id) }
        #expect(states[100] != nil)
        states.expire(silentSince: .max)
        #expect(states.all.map(\.producerID) == [100])
    }
}
