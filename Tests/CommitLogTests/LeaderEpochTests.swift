import RecordBatch
import TestKit
import Testing

@testable import CommitLog

@Suite struct LeaderEpochTests {
    let directory: TemporaryDirectory
    let path: String
    private var file: String { path + "/" + LeaderEpochs.fileName }

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
    }

    private func open() throws -> Log { try Log(directory: path, configuration: LogMaking.small) }

    /// Epochs 0, 2 and 5 begin at offsets 0, 4 and 14.
    private func fill(_ log: inout Log) throws {
        for number in 0..<20 {
            _ = try log.append(
                try LogMaking.batch(number: number), leaderEpoch: number < 4 ? 0 : number < 14 ? 2 : 5)
        }
    }

    @Test func theCheckpointIsKafkas() throws {
        var log = try open()
        try fill(&log)
        try log.syncPoint().perform()
        #expect(String(decoding: try LogMaking.fileBytes(file), as: UTF8.self) == "0\n3\n0 0\n2 4\n5 14\n")
    }

    @Test func anEpochEndsWhereTheNextOneBegins() throws {
        var log = try open()
        #expect(log.endOffset(ofLeaderEpoch: 0) == nil)
        try fill(&log)
        try log.close()
        let again = try open()
        #expect(again.recovery.isClean)
        func end(_ epoch: Int32) -> [Int64]? {
            again.endOffset(ofLeaderEpoch: epoch).map { [Int64($0.epoch), $0.offset.rawValue] }
        }
        #expect(end(0) == [0, 4])
        #expect(end(1) == [0, 4])
        #expect(end(2) == [2, 14])
        #expect(end(4) == [2, 14])
        #expect(end(5) == [5, 20])
        #expect(end(6) == nil)
        #expect(end(-1) == nil)
    }

    @Test func aDamagedOrMissingCheckpointIsMadeAnewFromTheBatches() throws {
        var log = try open()
        try fill(&log)
        try log.close()
        let whole = try LogMaking.fileBytes(file)
        let texts = [
            nil, "", "0\n1\n0 0\n", "0\n3\n0 0\n2 4\n5 15\n", "0\n3\n0 0\n2 4\n5 14", "0\n2\n2 0\n5 14\n", "7",
        ]
        for text in texts {
            if let text { try LogMaking.write(Array(text.utf8), to: file) } else { removeTree(file) }
            var again = try open()
            #expect(again.recovery.rebuiltIndexes == [file], "\(text ?? "missing")")
            #expect(try LogMaking.fileBytes(file) == whole)
            try again.close()
            #expect(try open().recovery.isClean)
        }
    }

    /// Nothing but the checkpoint knows that a batch's epoch is damaged, as its checksum does not cover it.
    @Test func aDamagedEpochOfABatchIsSaidOnce() throws {
        var log = try open()
        try fill(&log)
        try log.close()
        let segment = path + "/" + SegmentName(0).log
        var bytes = try LogMaking.fileBytes(segment)
        bytes[12] = 0x41
        try LogMaking.write(bytes, to: segment)
        var again = try open()
        #expect(again.recovery.rebuiltIndexes == [file])
        try again.close()
        #expect(try open().recovery.isClean)
    }

    /// What a damaged epoch, or one of a log from elsewhere, comes to.
    @Test func anEpochThatOlderOnesFollowStaysInTheCheckpoint() throws {
        var log = try open()
        for epoch: Int32 in [1, 122, 1] { _ = try log.append(try LogMaking.batch(number: 0), leaderEpoch: epoch) }
        try log.close()
        let whole = try LogMaking.fileBytes(file)
        #expect(String(decoding: whole, as: UTF8.self) == "0\n2\n1 0\n122 1\n")
        #expect(try open().recovery.isClean)
        #expect(try LogMaking.fileBytes(file) == whole)
    }

    @Test func theCheckpointFollowsTheLogsEnds() throws {
        var log = try open()
        try fill(&log)
        try log.deleteSegments(before: 10)
        let start = log.logStartOffset
        #expect(start > 4)
        try log.close()
        let again = try open()
        #expect(again.recovery.isClean)
        #expect(again.endOffset(ofLeaderEpoch: 0)?.offset == start)
        #expect(again.endOffset(ofLeaderEpoch: 2)?.offset == 14)
    }

    @Test func whatDoesNotLieWithinTheLogIsGivenUp() throws {
        let whole = try #require(LeaderEpochs("0\n3\n0 0\n2 4\n5 14\n"))
        func starts(_ offsets: Range<Offset>) -> [Offset] {
            var epochs = whole
            epochs.limit(to: offsets)
            return epochs.entries.map(\.start)
        }
        #expect(starts(0..<20) == [0, 4, 14])
        #expect(starts(3..<14) == [3, 4])
        #expect(starts(4..<5) == [4])
        #expect(starts(20..<20).isEmpty)
    }

    @Test func aLogWithoutEpochsHasNoCheckpoint() throws {
        var log = try open()
        _ = try log.append(try LogMaking.batch(number: 0), leaderEpoch: -1)
        try log.close()
        #expect(try LogMaking.names(in: path, suffix: "checkpoint").isEmpty)
        #expect(try open().recovery.isClean)
    }
}
