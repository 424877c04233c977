import CommitLog
import NIOCore
import RecordBatch
import TestKit
import Testing

/// Giving up records at a log's beginning.
@Suite struct LogStartTests {
    let directory: TemporaryDirectory
    let path: String
    var file: String { path + "/log-start-offset" }

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
    }

    private func open(_ fileSystem: FaultyFileSystem = FaultyFileSystem()) throws -> Log {
        try Log(directory: path, configuration: LogMaking.small, fileSystem: fileSystem)
    }

    private func filled(_ count: Int = 13) throws -> Log {
        var log = try open()
        for number in 0..<count { _ = try log.append(number: number) }
        return log
    }

    @Test func recordsBeforeTheLogStartAreOutOfRangeAlsoAfterARestart() throws {
        do {
            var log = try filled()
            let change = try log.advanceLogStart(to: 7)
            #expect(change.offset == 7)
            #expect(log.logStartOffset == 7)
            try change.perform()
            #expect(try log.values() == numbered(7..<13))
            do {
                _ = try log.locate(from: 6, maximumBytes: 100)
                Issue.record("no error")
            } catch {
                #expect(error == .offsetOutOfRange(6, logStart: 7, logEnd: 13, directory: path))
            }
        }
        var log = try open()
        #expect(log.logStartOffset == 7)
        #expect(try log.values() == numbered(7..<13))
        // Segments that hold nothing else go; the one across the log start stays.
        let removal = try log.deleteExpired(now: 0, retention: Retention())
        #expect(removal.segmentCount == 1)
        try removal.perform()
        #expect(log.logStartOffset == 7)
        #expect(try LogMaking.names(in: path, suffix: ".log").count == 2)
    }

    @Test func theLogStartNeverGoesBackNorBeyondTheEnd() throws {
        var log = try filled()
        let early = try log.advanceLogStart(to: 3)
        let late = try log.advanceLogStart(to: 9)
        #expect(try log.advanceLogStart(to: 5).offset == 9)
        try late.perform()
        try early.perform()
        #expect(throws: LogError.self) { _ = try log.advanceLogStart(to: 14) }
        let again = try open()
        #expect(again.logStartOffset == 9)
    }

    @Test func allRecordsCanBeGivenUp() throws {
        var log = try filled()
        try log.advanceLogStart(to: 13).perform()
        #expect(log.logStartOffset == 13)
        try log.deleteExpired(now: 0, retention: Retention()).perform()
        #expect(log.byteCount == 0)
        #expect(try LogMaking.names(in: path, suffix: "log") == ["00000000000000000013.log"])
        #expect(try log.append(number: 13) == 13)
        #expect(try log.values() == numbered([13]))
    }

    @Test func timestampsBeforeTheLogStartAreNotFound() throws {
        var log = try open()
        for (number, seconds) in [50, 10, 20, 90, 30, 40, 35, 15, 5].enumerated() {
            _ = try log.append(
                try LogMaking.batch(number: number, timestamp: LogMaking.start + Int64(seconds) * 1000), leaderEpoch: 0)
        }
        _ = try log.append(
            try LogMaking.batch(["a", "b", "c"], timestamp: LogMaking.start + 1000), leaderEpoch: 0)
        #expect(try log.largestTimestampSearch().find()?.offset == 3)
        _ = try log.advanceLogStart(to: 4)
        #expect(try log.largestTimestampSearch().find()?.offset == 5)
        #expect(try log.offset(forTimestamp: LogMaking.start)?.offset == 4)
        #expect(try log.offset(forTimestamp: LogMaking.start + 50_000) == nil)
        _ = try log.advanceLogStart(to: 8)
        #expect(try log.largestTimestampSearch().find()?.offset == 8)
        _ = try log.advanceLogStart(to: 10)
        #expect(try log.largestTimestampSearch().find()?.offset == 11)
        #expect(try log.offset(forTimestamp: LogMaking.start)?.offset == 10)
        _ = try log.advanceLogStart(to: 12)
        #expect(try log.largestTimestampSearch().find() == nil)
    }

    @Test func everyFailingOperationLeavesTheOldStartOrTheNew() throws {
        try filled().advanceStart(to: 2)
        let copy = directory.appending("copy")
        try LogMaking.copy(path, to: copy)
        var number = 0
        while true {
            number += 1
            try LogMaking.copy(copy, to: path)
            let faults = FaultyFileSystem()
            var log = try open(faults)
            let first = faults.operationCount
            faults.setRule { [number] in $0.number >= first + number ? .fail(5) : .proceed }
            let change = try log.advanceLogStart(to: 7)
            let isDone = (try? change.perform()) != nil
            let start = try open().logStartOffset
            #expect(isDone ? start == 7 : start == 2 || start == 7)
            faults.setRule { _ in .proceed }
            try change.perform()
            #expect(try open().logStartOffset == 7)
            if isDone { break }
        }
        #expect(number > 4)
    }

    @Test func aDamagedFileIsSaidAndNotBelieved() throws {
        try filled().advanceStart(to: 7)
        let intact = try LogMaking.fileBytes(file)
        var spoiled = intact.indices.map { index in
            var bytes = intact
            bytes[index] ^= 1
            return bytes
        }
        spoiled += (0..<intact.count).map { Array(intact.prefix($0)) }
        for bytes in spoiled {
            try LogMaking.write(bytes, to: file)
            let log = try open()
            #expect(log.logStartOffset == 0)
            #expect(log.recovery.ignoredFiles == [file])
            #expect(try #require(log.recovery.summary).contains(file))
            #expect(try open().recovery.isClean)
        }
    }

    @Test func aLogThatLostItsEndGoesOnFromItsStart() throws {
        for kept in [4, 0] {
            removeTree(path)
            try filled(6).advanceStart(to: 6)
            for name in try LogMaking.names(in: path, suffix: "log").dropFirst() { removeTree(path + "/" + name) }
            let name = path + "/00000000000000000000.log"
            try LogMaking.write(try LogMaking.fileBytes(name).prefix(kept * LogMaking.batchBytes), to: name)
            var log = try open()
            #expect(log.logStartOffset == 6)
            #expect(log.logEndOffset == 6)
            #expect(log.recovery.lostOffsets == Offset(Int64(kept))..<6)
            #expect(try log.append(number: 6) == 6)
            #expect(try log.values() == numbered([6]))
        }
    }
}

extension Log {
    /// For a log that is used for nothing else.
    fileprivate consuming func advanceStart(to offset: Offset) throws {
        var log = self
        try log.advanceLogStart(to: offset).perform()
        try log.close()
    }
}
