import CommitLog
import Foundation
import NIOCore
import RecordBatch
import TestKit
import Testing

/// Old segments go by age and by size.
@Suite struct RetentionTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
    }

    /// Five batches to a segment, a second apart; 23 batches make five segments.
    private func filled(
        _ count: Int = 23, configuration: LogConfiguration = LogMaking.small,
        _ fileSystem: FaultyFileSystem = FaultyFileSystem()
    ) throws -> Log {
        var log = try Log(directory: path, configuration: configuration, fileSystem: fileSystem)
        for number in 0..<count { _ = try log.append(number: number) }
        return log
    }

    /// Milliseconds at which batch `number` was written.
    private func time(_ number: Int) -> Int64 { LogMaking.start + Int64(number) * 1000 }

    private var deleted: [String] {
        get throws { try LogMaking.names(in: path, suffix: SegmentSuffix.deleted) }
    }

    @Test func segmentsWhoseNewestRecordIsTooOldGo() throws {
        var log = try filled()
        let hour = Retention(milliseconds: 3_600_000)
        #expect(try log.deleteExpired(now: time(4) + 3_600_000, retention: hour).isEmpty)
        let removal = try log.deleteExpired(now: time(9) + 3_600_001, retention: hour)
        #expect(removal.segmentCount == 2)
        #expect(removal.byteCount == 10 * LogMaking.batchBytes)
        #expect(log.logStartOffset == 10)
        #expect(log.byteCount == 13 * LogMaking.batchBytes)
        // The files are there until the removal is performed, which needs no lock.
        #expect(try deleted.count == 7)
        try removal.perform()
        #expect(try deleted.isEmpty)
        #expect(try log.values() == numbered(10..<23))
    }

    @Test func anOldSegmentBehindANewerOneStays() throws {
        var log = try filled(0)
        for number in 0..<10 {
            let old = number < 5 ? 100 : 0
            _ = try log.append(try LogMaking.batch(number: number, timestamp: time(number + old)), leaderEpoch: 0)
        }
        try log.roll()
        #expect(try log.deleteExpired(now: time(60), retention: Retention(milliseconds: 1000)).isEmpty)
    }

    @Test func theOldestSegmentsGoWhileEnoughBytesStay() throws {
        var log = try filled()
        let bytes = LogMaking.batchBytes
        #expect(try log.deleteExpired(now: 0, retention: Retention(bytes: 18 * bytes + 1)).isEmpty)
        #expect(try log.deleteExpired(now: 0, retention: Retention(bytes: 18 * bytes)).segmentCount == 1)
        #expect(try log.deleteExpired(now: 0, retention: Retention(bytes: 4 * bytes)).segmentCount == 2)
        #expect(log.logStartOffset == 15)
        #expect(try log.values() == numbered(15..<23))
    }

    @Test func theActiveSegmentGoesWhenAllOfItHasExpired() throws {
        var log = try filled()
        let removal = try log.deleteExpired(now: time(22) + 1001, retention: Retention(milliseconds: 1000))
        #expect(removal.segmentCount == 5)
        #expect(log.logStartOffset == 23)
        try removal.perform()
        #expect(try log.append(number: 23) == 23)
        try log.close()
        let again = try filled(0)
        #expect(again.recovery.isClean)
        #expect(try again.values() == numbered([23]))
    }

    @Test func nothingBeyondTheHighWatermarkGoes() throws {
        var log = try filled()
        #expect(
            try log.deleteExpired(now: time(1000), retention: Retention(milliseconds: 1), upTo: 12).segmentCount == 2)
    }

    @Test func manySegmentsGoInSteps() throws {
        var log = try filled(200)
        var steps: [Int] = []
        while true {
            let removal = try log.deleteExpired(now: time(1000), retention: Retention(milliseconds: 1))
            if removal.isEmpty { break }
            steps.append(removal.segmentCount)
            try removal.perform()
        }
        #expect(steps == [16, 16, 8])
    }

    @Test func aSegmentWithoutTimestampsIsAsOldAsItsFile() throws {
        var log = try filled(0)
        _ = try log.append(try LogMaking.batch(number: 0, timestamp: -1), leaderEpoch: 0)
        try log.roll()
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        #expect(try log.deleteExpired(now: now + 1000, retention: Retention(milliseconds: 60_000)).isEmpty)
        #expect(try log.deleteExpired(now: now + 120_000, retention: Retention(milliseconds: 60_000)).segmentCount == 1)
    }

    @Test func theActiveSegmentRollsByAgeWhenAsked() throws {
        var log = try filled(3)
        log.configuration.segmentAge = .seconds(60)
        #expect(try !log.rollIfAged(now: time(0) + 60_000))
        #expect(try log.rollIfAged(now: time(0) + 60_001))
        #expect(log.segmentCount == 2)
        #expect(try !log.rollIfAged(now: time(1000)))
    }

    @Test func aSliceThatWasLocatedBeforeIsStillRead() throws {
        var log = try filled()
        let slice = try log.locate(from: 0, maximumBytes: 1000)
        let search = log.timestampSearch(for: time(0))
        try log.deleteExpired(now: time(1000), retention: Retention(milliseconds: 1)).perform()
        #expect(try LogMaking.records(in: slice.read()).count == 5)
        #expect(try search.find().map { $0.offset >= 20 } ?? true)
    }

    @Test func everyFailingOperationLeavesALogWithoutHoles() throws {
        let end = time(12) + 1001
        try {
            var log = try filled(); try log.close()
        }()
        let copy = directory.appending("copy")
        try LogMaking.copy(path, to: copy)
        for crash in [true, false] {
            var number = 0
            while true {
                number += 1
                try LogMaking.copy(copy, to: path)
                let faults = FaultyFileSystem()
                var isDone = false
                do {
                    var log = try filled(0, faults)
                    let first = faults.operationCount
                    faults.setRule { [number] in
                        (crash ? $0.number >= first + number : $0.number == first + number) ? .fail(5) : .proceed
                    }
                    for _ in 0..<3 {
                        try? log.deleteExpired(now: end, retention: Retention(milliseconds: 1000)).perform()
                        let start = Int(log.logStartOffset.rawValue)
                        #expect([0, 5, 10].contains(start))
                        #expect(try log.values() == numbered(start..<23))
                    }
                    isDone = faults.operationCount < first + number
                    if !crash { #expect(log.logStartOffset == 10) }
                }
                let log = try filled(0)
                let start = Int(log.logStartOffset.rawValue)
                #expect([0, 5, 10].contains(start))
                #expect(try log.values() == numbered(start..<23))
                #expect(log.recovery.cuts.isEmpty)
                #expect(try deleted.isEmpty)
                if isDone { break }
            }
            #expect(number > 8)
        }
    }

    private func filled(_ count: Int, _ fileSystem: FaultyFileSystem) throws -> Log {
        try filled(count, configuration: LogMaking.small, fileSystem)
    }
}

/// Endings of files that are on their way out or in.
enum SegmentSuffix {
    static let deleted = ".deleted"
    static let cleaned = ".cleaned"
    static let swap = ".swap"
}
