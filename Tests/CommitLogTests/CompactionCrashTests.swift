import CommitLog
import NIOCore
import RecordBatch
import TestKit
import Testing

/// Compaction that is interrupted: at the next start the log says the same.
@Suite struct CompactionCrashTests {
    let directory: TemporaryDirectory
    let path: String
    let copy: String
    private static let configuration = LogConfiguration(segmentBytes: 600, segmentAge: nil, indexIntervalBytes: 100)

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
        copy = directory.appending("copy")
    }

    private func open(_ fileSystem: FaultyFileSystem = FaultyFileSystem()) throws -> Log {
        try Log(directory: path, configuration: Self.configuration, fileSystem: fileSystem)
    }

    /// Twenty records of four keys, in some segments, and what compaction has to leave.
    private func fill() throws -> [String: String] {
        var log = try open()
        var latest: [String: String] = [:]
        for number in 0..<20 {
            let key = "key\(number % 4)"
            latest[key] = "\(number)"
            try log.append(try CompactionMaking.batch("\(key)=\(number)"))
        }
        try log.roll()
        try log.append(try CompactionMaking.batch("last=1"))
        latest["last"] = "1"
        try log.close()
        try LogMaking.copy(path, to: copy)
        return latest
    }

    private func latest(in log: borrowing Log) throws -> [String: String] {
        try log.records().reduce(into: [:]) { values, record in
            values[String(buffer: record.key ?? ByteBuffer())] = String(buffer: record.value ?? ByteBuffer())
        }
    }

    private func expectNoLeftovers() throws {
        for suffix in [SegmentSuffix.deleted, SegmentSuffix.cleaned, SegmentSuffix.swap, ".tmp"] {
            #expect(try LogMaking.names(in: path, suffix: suffix).isEmpty)
        }
    }

    @Test func aCrashAtAnyOperationLosesNothing() throws {
        let expected = try fill()
        var number = 0
        while true {
            number += 1
            try LogMaking.copy(copy, to: path)
            let faults = FaultyFileSystem()
            var isDone = false
            do {
                var log = try open(faults)
                let first = faults.operationCount
                // From there on nothing works, as after a crash.
                faults.setRule { [number] in $0.number >= first + number ? .fail(5) : .proceed }
                isDone = (try? log.compact()) != nil
                if isDone { #expect(try log.records().count == 5) }
            }
            try expectSameAfterRestart(expected, "operation \(number)")
            if isDone { break }
        }
        #expect(number > 40)
    }

    private func expectSameAfterRestart(_ expected: [String: String], _ comment: Comment) throws {
        do {
            var log = try open()
            #expect(try latest(in: log) == expected, comment)
            #expect(log.recovery.cuts.isEmpty, comment)
            #expect(log.logStartOffset == 0 && log.logEndOffset == 21, comment)
            try expectNoLeftovers()
            try log.close()
        }
        var log = try open()
        #expect(log.recovery.isClean, comment)
        // Compaction goes on from whatever there is.
        try log.compact()
        #expect(try log.records().count == 5, comment)
        #expect(try latest(in: log) == expected, comment)
    }

    @Test func aFailureAtAnyOperationLeavesTheLogInUse() throws {
        let expected = try fill()
        var number = 0
        while true {
            number += 1
            try LogMaking.copy(copy, to: path)
            let faults = FaultyFileSystem()
            var isDone = false
            do {
                var log = try open(faults)
                let first = faults.operationCount
                faults.failOperation(first + number)
                do { try log.compact() } catch { #expect("\(error)".contains(path)) }
                isDone = faults.operationCount < first + number
                #expect(try latest(in: log) == expected, "operation \(number)")
                // The sync before it may have been the one that failed.
                if (try? log.compact()) != nil {
                    #expect(try latest(in: log) == expected, "operation \(number)")
                    #expect(try log.append(try CompactionMaking.batch("last=1")) == 21)
                }
            }
            let log = try open()
            #expect(try latest(in: log) == expected, "operation \(number)")
            #expect(log.recovery.cuts.isEmpty)
            try expectNoLeftovers()
            if isDone { break }
        }
        #expect(number > 40)
    }

    @Test func aCrashWhileTheNextStartEndsWhatWasBegunLosesNothing() throws {
        let expected = try fill()
        // Interrupted after the first group's log file was renamed.
        let faults = FaultyFileSystem()
        do {
            var log = try open(faults)
            faults.setRule { operation in
                operation.kind == .rename && operation.path.hasSuffix(".log.swap")
                    ? .fail(5)
                    : operation.path.hasSuffix(SegmentSuffix.deleted) ? .fail(5) : .proceed
            }
            _ = try? log.compact()
        }
        #expect(try !LogMaking.names(in: path, suffix: ".log.swap").isEmpty)
        let begun = directory.appending("begun")
        try LogMaking.copy(path, to: begun)
        var number = 0
        while true {
            number += 1
            try LogMaking.copy(begun, to: path)
            let faults = FaultyFileSystem()
            faults.setRule { [number] in $0.number >= number ? .fail(5) : .proceed }
            let isDone = (try? open(faults)) != nil
            try expectSameAfterRestart(expected, "operation \(number)")
            if isDone, faults.operationCount < number { break }
        }
        #expect(number > 5)
    }

    @Test func aSwapThatWasDamagedIsNotPutInPlaceOfWhatItWasMadeFrom() throws {
        let expected = try fill()
        let name = path + "/00000000000000000000.log"
        let intact = try LogMaking.fileBytes(name)
        for byte in stride(from: 0, to: intact.count, by: 5) where !(12..<16).contains(byte % (intact.count / 5)) {
            try LogMaking.copy(copy, to: path)
            var bytes = intact
            bytes[byte] ^= 4
            try LogMaking.write(bytes, to: name + SegmentSuffix.swap)
            let log = try open()
            #expect(try latest(in: log) == expected)
            #expect(try log.records().count == 21)
            try expectNoLeftovers()
        }
    }

    @Test func aDamagedCleanerOffsetIsSaidAndCompactionBeginsAnew() throws {
        let expected = try fill()
        do {
            var log = try open()
            try log.compact()
            try log.close()
        }
        let file = path + "/cleaner-offset"
        let intact = try LogMaking.fileBytes(file)
        for byte in intact.indices {
            var bytes = intact
            bytes[byte] ^= 1
            try LogMaking.write(bytes, to: file)
            var log = try open()
            #expect(log.recovery.ignoredFiles == [file])
            #expect(try log.compact(CompactionPolicy()) != nil)
            #expect(try latest(in: log) == expected)
            try log.close()
        }
    }
}
