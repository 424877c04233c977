import KafkaProtocol
import NIOCore
import RecordBatch
import Testing

@testable import Broker

@Suite struct ProducerTableTests {
    private static func header(_ sequence: Int32, count: Int = 1, epoch: Int16 = 0, id: Int64 = 7) throws
        -> RecordBatchHeader
    {
        try Requests.batch(
            (0..<count).map { "\($0)" }, producerID: id, epoch: epoch, sequence: sequence
        ).header
    }

    /// Appends batches of one record each, from sequence 0 and offset 100 on.
    private static func table(after count: Int32, limit: Int = 100) throws -> ProducerTable {
        var table = ProducerTable(maximumProducers: limit)
        for sequence in 0..<count {
            let header = try Self.header(sequence)
            #expect(table.verdict(on: header) == .append)
            table.record(header, at: Offset(100 + Int64(sequence)), now: Int64(sequence))
        }
        return table
    }

    @Test func batchesWithoutProducerIDAreNotRemembered() throws {
        var table = ProducerTable(maximumProducers: 10)
        let header = try Requests.batch(["x"]).header
        #expect(table.verdict(on: header) == .append)
        table.record(header, at: 0, now: 0)
        #expect(table.verdict(on: header) == .append)
        #expect(table.count == 0)
    }

    @Test func eachOfTheLastFiveBatchesIsRecognisedWithItsOffset() throws {
        let table = try Self.table(after: 8)
        for sequence in Int32(3)...7 {
            guard case .duplicate(let trace) = table.verdict(on: try Self.header(sequence)) else {
                Issue.record("sequence \(sequence) was not recognised")
                continue
            }
            #expect(trace.baseOffset == Offset(100 + Int64(sequence)))
            #expect(trace.nextOffset == Offset(101 + Int64(sequence)))
        }
        #expect(table.verdict(on: try Self.header(2)) == .refuse(.outOfOrderSequenceNumber))
    }

    @Test func aGapIsRefused() throws {
        let table = try Self.table(after: 3)
        #expect(table.verdict(on: try Self.header(4)) == .refuse(.outOfOrderSequenceNumber))
        #expect(table.verdict(on: try Self.header(3)) == .append)
    }

    @Test func aBatchThatIsLikeAnEarlierOneOnlyInPartIsRefused() throws {
        let table = try Self.table(after: 3)
        #expect(table.verdict(on: try Self.header(2, count: 2)) == .refuse(.outOfOrderSequenceNumber))
    }

    @Test func aNewEpochBeginsAtZeroAndFencesTheOldOne() throws {
        var table = try Self.table(after: 3)
        #expect(table.verdict(on: try Self.header(3, epoch: 1)) == .refuse(.outOfOrderSequenceNumber))
        let first = try Self.header(0, epoch: 1)
        #expect(table.verdict(on: first) == .append)
        table.record(first, at: 200, now: 0)
        #expect(table.verdict(on: try Self.header(3)) == .refuse(.invalidProducerEpoch))
    }

    @Test func sequencesWrapAround() throws {
        var table = ProducerTable(maximumProducers: 10)
        let last = try Self.header(.max - 1, count: 2)
        table.record(last, at: 0, now: 0)
        #expect(table.verdict(on: try Self.header(0)) == .append)
        #expect(table.verdict(on: try Self.header(1)) == .refuse(.outOfOrderSequenceNumber))

        let across = try Self.header(.max, count: 3)
        #expect(across.lastSequence == 1)
        table.record(across, at: 2, now: 0)
        #expect(table.verdict(on: try Self.header(2)) == .append)
    }

    @Test func anUnknownProducerMayBeginAnywhere() throws {
        let table = ProducerTable(maximumProducers: 10)
        #expect(table.verdict(on: try Self.header(41)) == .append)
    }

    @Test func theProducerUnheardOfForLongestIsForgotten() throws {
        var table = ProducerTable(maximumProducers: 8)
        for id in Int64(0)..<11 { table.record(try Self.header(5, id: id), at: Offset(id), now: id) }
        #expect(table.count == 8)
        #expect(table.verdict(on: try Self.header(9, id: 0)) == .append)
        #expect(table.verdict(on: try Self.header(9, id: 10)) == .refuse(.outOfOrderSequenceNumber))
    }
}
