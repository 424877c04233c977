import CommitLog
import FoundationEssentials
import NIOCore
import RecordBatch
import TestKit
import Testing

@Suite struct LogTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory("log with a space")
        path = directory.appending("topic-0/deep")
    }

    @Test func aNewLogIsEmpty() throws {
        let log = try Log(directory: path)
        #expect(log.logStartOffset == 0)
        #expect(log.logEndOffset == 0)
        #expect(log.byteCount == 0)
        #expect(log.recovery.isClean)
        #expect(log.recovery.summary == nil)
        #expect(try log.locate(from: 0, maximumBytes: 1000).read().readableBytes == 0)
        #expect(try log.offset(forTimestamp: 0) == nil)
        #expect(try log.largestTimestampSearch().find() == nil)
    }

    @Test func batchesGetConsecutiveOffsetsAndAreReadBack() throws {
        var log = try Log(directory: path)
        let first = try LogMaking.batch(["a", "b", "c"])
        let second = try LogMaking.batch(["d", "e"], codec: .zstd)
        let bases = [try log.append(first, leaderEpoch: 4), try log.append(second, leaderEpoch: 5)]
        #expect(bases == [0, 3])
        #expect(log.logEndOffset == 5)
        #expect(log.byteCount == first.bytes.readableBytes + second.bytes.readableBytes)
        let (whole, _) = try EncodedBatch.split(try log.locate(from: 0, maximumBytes: 10_000).read())
        #expect(whole.map(\.header.baseOffset) == [0, 3])
        #expect(whole.map(\.header.partitionLeaderEpoch) == [4, 5])
        #expect(try log.values() == ["a", "b", "c", "d", "e"])
        // The caller's batch is left as it was.
        #expect(second.header.baseOffset == 0)
        #expect(try EncodedBatch(validating: second.bytes) == second)
    }

    @Test func aLogCanBeginAtAnyOffset() throws {
        do {
            var log = try Log(directory: path, configuration: LogMaking.small, initialOffset: 5_000_000_000)
            for number in 0..<20 { _ = try log.append(number: number) }
            #expect(log.logStartOffset == 5_000_000_000)
        }
        let log = try Log(directory: path, configuration: LogMaking.small, initialOffset: 7)
        #expect(log.logStartOffset == 5_000_000_000)
        #expect(log.logEndOffset == 5_000_000_020)
        #expect(try log.values() == numbered(0..<20))
        #expect(try log.records(from: 5_000_000_013).first?.offset == 5_000_000_013)
        #expect(try LogMaking.names(in: path, suffix: ".log").first == "00000000005000000000.log")
    }

    @Test func segmentsRollBySize() throws {
        var log = try Log(directory: path, configuration: LogMaking.small)
        for number in 0..<12 { _ = try log.append(number: number) }
        // Five batches of 170 bytes fit into 1000.
        #expect(
            try LogMaking.names(in: path, suffix: ".log") == [
                "00000000000000000000.log", "00000000000000000005.log", "00000000000000000010.log",
            ])
        #expect(log.segmentCount == 3)
        #expect(log.activeSegmentByteCount == 2 * LogMaking.batchBytes)
        #expect(log.byteCount == 12 * LogMaking.batchBytes)
        // One that is larger than any segment gets its own.
        let large = try LogMaking.batch([String(repeating: "x", count: 5000)])
        #expect(try log.append(large, leaderEpoch: 0) == 12)
        #expect(try log.append(number: 13) == 13)
        #expect(log.segmentCount == 5)
        #expect(try log.records().count == 14)
    }

    @Test func segmentsRollByAge() throws {
        var configuration = LogConfiguration()
        configuration.segmentAge = .seconds(10)
        var log = try Log(directory: path, configuration: configuration)
        for seconds in [0, 5, 10, 11, 12, 3, 22] {
            let batch = try LogMaking.batch(["."], timestamp: LogMaking.start + Int64(seconds) * 1000)
            _ = try log.append(batch, leaderEpoch: 0)
        }
        #expect(
            try LogMaking.names(in: path, suffix: ".log") == [
                "00000000000000000000.log", "00000000000000000003.log", "00000000000000000006.log",
            ])
    }

    @Test func rollingAnEmptySegmentDoesNothing() throws {
        var log = try Log(directory: path)
        try log.roll()
        #expect(log.segmentCount == 1)
        _ = try log.append(number: 0)
        try log.roll()
        try log.roll()
        #expect(log.segmentCount == 2)
        #expect(try log.append(number: 1) == 1)
    }

    @Test func everyReadGivesWholeBatchesFromTheOneWithTheOffset() throws {
        var generator = SeededGenerator()
        var configuration = LogMaking.small
        configuration.segmentBytes = 3000
        var log = try Log(directory: path, configuration: configuration)
        var batches: [RecordBatchHeader] = []
        for number in 0..<40 {
            let texts = (0..<Int.random(in: 1...8, using: &generator)).map { index in
                "\(number).\(index)" + String(repeating: "-", count: Int.random(in: 0...120, using: &generator))
            }
            var batch = try LogMaking.batch(texts, codec: Bool.random(using: &generator) ? .lz4 : .none)
            batch.assign(baseOffset: try log.append(batch, leaderEpoch: 0), leaderEpoch: 0)
            batches.append(batch.header)
        }
        for offset in 0...log.logEndOffset.rawValue {
            for maximumBytes in [0, 1, 200, 1000, 100_000, Int.max] {
                let upTo =
                    Bool.random(using: &generator)
                    ? nil : Offset(Int64.random(in: 0...log.logEndOffset.rawValue, using: &generator))
                let slice = try log.locate(from: Offset(offset), maximumBytes: maximumBytes, upTo: upTo)
                let bytes = try slice.read()
                let headers = try EncodedBatch.split(bytes).whole.map(\.header)
                let candidates = batches.filter {
                    $0.lastOffset.rawValue >= offset && $0.nextOffset <= upTo ?? Offset(.max)
                }
                guard let first = candidates.first else {
                    #expect(bytes.readableBytes == 0)
                    continue
                }
                // A read ends with its segment, so it may give fewer batches than fit, but always the first one.
                #expect(headers.first == first)
                #expect(headers == Array(candidates.prefix(headers.count)))
                #expect(headers.count == 1 || bytes.readableBytes <= maximumBytes)
                #expect(!slice.isEmpty)
                #expect(slice.estimatedBytes <= max(1, maximumBytes))
            }
        }
    }

    @Test func whatIsInMemoryCanBeReadWithoutWaitingForTheDisk() throws {
        let fileSystem = FaultyFileSystem()
        var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: fileSystem)
        for number in 0..<20 { _ = try log.append(number: number) }
        for offset in 0..<20 {
            let slice = try log.locate(from: Offset(Int64(offset)), maximumBytes: 500)
            fileSystem.setCachesReads(true)
            let bytes = try #require(try slice.readCached())
            #expect(bytes.readableBytes > 0)
            fileSystem.setCachesReads(false)
            #expect(try slice.readCached() == nil)
            #expect(try slice.read() == bytes)
        }
    }

    @Test func littleIsReadInVain() throws {
        let fileSystem = FaultyFileSystem()
        var log = try Log(directory: path, fileSystem: fileSystem)
        let value = String(repeating: ".", count: 100_000)
        for _ in 0..<10 { _ = try log.append(try LogMaking.batch([value]), leaderEpoch: 0) }
        for offset in 0..<10 {
            let before = fileSystem.bytesRead
            let bytes = try log.locate(from: Offset(Int64(offset)), maximumBytes: 250_000).read()
            #expect(bytes.readableBytes > min(2, 10 - offset) * value.utf8.count)
            // To find the batch, its header and that of the one before it are enough.
            #expect(fileSystem.bytesRead - before <= bytes.readableBytes + 40_000)
        }
    }

    @Test func offsetsOutsideTheLogAreNamed() throws {
        var log = try Log(directory: path)
        _ = try log.append(number: 0)
        let expected = LogError.offsetOutOfRange(2, logStart: 0, logEnd: 1, directory: path)
        do {
            _ = try log.locate(from: 2, maximumBytes: 10)
            Issue.record("no error")
        } catch {
            #expect(error == expected)
            #expect(error.description.contains(path))
        }
        #expect(throws: LogError.self) { try log.locate(from: -1, maximumBytes: 10) }
    }

    @Test func aClosedLogOpensWithoutScanning() throws {
        do {
            var log = try Log(directory: path, configuration: LogMaking.small)
            for number in 0..<13 { _ = try log.append(number: number) }
            try log.close()
            try log.close()
            #expect(log.syncedOffset == 13)
            #expect(try log.values() == numbered(0..<13))
            do {
                _ = try log.append(number: 13)
                Issue.record("no error")
            } catch {
                #expect(error as? LogError == .closed(directory: path))
            }
        }
        for round in 0..<3 {
            var log = try Log(directory: path, configuration: LogMaking.small)
            #expect(log.recovery.isClean)
            #expect(log.recovery.scannedBytes == 0)
            #expect(log.logEndOffset == Offset(Int64(13 + round)))
            #expect(log.syncedOffset == log.logEndOffset)
            #expect(try log.values() == numbered(0..<13 + round))
            _ = try log.append(number: 13 + round)
            try log.close()
        }
    }

    @Test func aLogThatWasNotClosedIsCheckedFromTheRecoveryPointOn() throws {
        do {
            var log = try Log(directory: path, configuration: LogMaking.small)
            for number in 0..<13 { _ = try log.append(number: number) }
            try log.syncPoint().perform()
            _ = try log.append(number: 13)
        }
        do {
            let log = try Log(directory: path, configuration: LogMaking.small)
            // What was there at the sync need not be checked.
            #expect(log.recovery.scannedBytes == LogMaking.batchBytes)
            #expect(log.recovery.isClean)
            #expect(try log.values() == numbered(0..<14))
        }
        do {
            var log = try Log(directory: path, configuration: LogMaking.small)
            try log.close()
        }
        do {
            var log = try Log(directory: path, configuration: LogMaking.small)
            #expect(log.recovery.scannedBytes == 0)
            _ = try log.append(number: 14)
        }
        let log = try Log(directory: path, configuration: LogMaking.small)
        #expect(log.recovery.scannedBytes == LogMaking.batchBytes)
        #expect(try log.values() == numbered(0..<15))
    }

    @Test func oldSegmentsAreDeleted() throws {
        var log = try Log(directory: path, configuration: LogMaking.small)
        for number in 0..<23 { _ = try log.append(number: number) }
        let slice = try log.locate(from: 0, maximumBytes: 10_000)
        #expect(try log.deleteSegments(before: 4) == 0)
        #expect(try log.deleteSegments(before: 11) == 2)
        #expect(log.logStartOffset == 10)
        #expect(log.byteCount == 13 * LogMaking.batchBytes)
        #expect(try log.values() == numbered(10..<23))
        // What was located before can still be read.
        #expect(try LogMaking.records(in: try slice.read()).count == 5)
        #expect(try log.deleteSegments(before: Offset(.max)) == 2)
        #expect(log.logStartOffset == 20)
        let names = try LogMaking.names(in: path)
        #expect(names.filter { $0.hasPrefix("0") }.allSatisfy { $0.hasPrefix("00000000000000000020.") })
        #expect(try log.append(number: 23) == 23)
        try log.close()
        let again = try Log(directory: path, configuration: LogMaking.small)
        #expect(again.logStartOffset == 20)
        #expect(try again.values() == numbered(20..<24))
    }

    @Test func indexFilesHaveKafkasFormat() throws {
        var log = try Log(directory: path, configuration: LogMaking.small)
        for number in 0..<6 {
            // The third has the segment's largest timestamp.
            let timestamp = number == 2 ? LogMaking.start + 99_000 : nil
            _ = try log.append(try LogMaking.batch(number: number, timestamp: timestamp), leaderEpoch: 0)
        }
        var index = ByteBuffer(bytes: try LogMaking.fileBytes(path + "/00000000000000000000.index"))
        var entries: [[Int32]] = []
        while let (offset, position) = index.readMultipleIntegers(as: (Int32, Int32).self) {
            entries.append([offset, position])
        }
        #expect(entries == [[1, 170], [2, 340], [3, 510], [4, 680]])
        var times = ByteBuffer(bytes: try LogMaking.fileBytes(path + "/00000000000000000000.timeindex"))
        var timeEntries: [[Int64]] = []
        while let (timestamp, offset) = times.readMultipleIntegers(as: (Int64, Int32).self) {
            timeEntries.append([timestamp - LogMaking.start, Int64(offset)])
        }
        #expect(timeEntries == [[1000, 1], [99_000, 2]])
    }

    @Test func timestampsAreFoundAsInAPlainList() throws {
        var generator = SeededGenerator()
        var configuration = LogMaking.small
        configuration.indexIntervalBytes = 300
        var log = try Log(directory: path, configuration: configuration)
        var all: [(offset: Offset, timestamp: Int64)] = []
        for number in 0..<60 {
            // Rising on the whole, with jumps back and forth.
            let timestamp = LogMaking.start + Int64(number * 10) + Int64.random(in: -50...50, using: &generator)
            let batch = try LogMaking.batch(
                (0..<Int.random(in: 1...4, using: &generator)).map { "\(number).\($0)" }, timestamp: timestamp,
                codec: CompressionCodec.allCases.randomElement(using: &generator) ?? .none)
            let base = try log.append(batch, leaderEpoch: 0)
            for index in 0..<Int64(batch.header.recordCount) {
                all.append((base.advanced(by: index), timestamp + index))
            }
        }
        func check(_ log: borrowing Log) throws {
            for timestamp in (LogMaking.start - 100)...(LogMaking.start + 700) {
                let expected = all.first { $0.timestamp >= timestamp }
                let found = try log.offset(forTimestamp: timestamp)
                #expect(found?.offset == expected?.offset, "\(timestamp)")
                #expect(found?.timestamp == expected?.timestamp)
            }
            let largest = all.map(\.timestamp).max()
            let found = try log.largestTimestampSearch().find()
            #expect(found?.timestamp == largest)
            #expect(found?.offset == all.first { $0.timestamp == largest }?.offset)
        }
        try check(log)
        try log.close()
        try check(try Log(directory: path, configuration: configuration))
        for name in try LogMaking.names(in: path, suffix: "index") { removeTree(path + "/" + name) }
        try check(try Log(directory: path, configuration: configuration))
    }

    @Test func filesOfOthersAreLeftAlone() throws {
        do {
            var log = try Log(directory: path)
            _ = try log.append(number: 0)
        }
        let others = [
            "leader-epoch-checkpoint", "partition.metadata", "1.log", "notes.tmp", "0000000000000000000x.log",
        ]
        for name in others { try LogMaking.write("x".utf8, to: path + "/" + name) }
        // These are ours, left over from a crash.
        for name in ["recovery-point.tmp", "00000000000000000009.log.tmp", "00000000000000000009.index"] {
            try LogMaking.write("x".utf8, to: path + "/" + name)
        }
        let log = try Log(directory: path)
        #expect(try log.values() == numbered(0..<1))
        let names = try LogMaking.names(in: path)
        #expect(Set(others).isSubset(of: names))
        #expect(!names.contains { $0.hasPrefix("00000000000000000009") || $0 == "recovery-point.tmp" })
    }

    @Test func aDirectoryThatCannotBeMadeIsNamed() throws {
        try LogMaking.write("".utf8, to: directory.appending("file"))
        do {
            _ = try Log(directory: directory.appending("file/log"))
            Issue.record("no error")
        } catch {
            #expect(error.description.contains(directory.appending("file/log")))
        }
    }
}
