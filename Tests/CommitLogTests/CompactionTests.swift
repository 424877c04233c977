import CommitLog
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

/// Of the records with one key only the last stays.
@Suite struct CompactionTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
    }

    private func open(segmentBytes: Int = 100_000) throws -> Log {
        try Log(
            directory: path, configuration: LogConfiguration(segmentBytes: segmentBytes, indexIntervalBytes: 100),
            fileSystem: FaultyFileSystem())
    }

    private func batch(_ records: String, timestamp: Int64 = LogMaking.start) throws -> EncodedBatch {
        try CompactionMaking.batch(records, timestamp: timestamp)
    }

    @Test(arguments: CompressionCodec.allCases)
    func onlyTheLastRecordOfAKeyStays(_ codec: CompressionCodec) throws {
        var log = try open()
        try log.append(try CompactionMaking.batch("a=1", "b=1", "a=2", codec: codec))
        try log.append(try CompactionMaking.batch("c=1", "b=2", timestamp: LogMaking.start + 50, codec: codec))
        try log.append(try CompactionMaking.batch("d=1", "a=3", timestamp: LogMaking.start + 100, codec: codec))
        try log.roll()
        let before = try log.records()
        let report = try #require(try log.compact())
        #expect(try log.texts() == ["3:c=1", "4:b=2", "5:d=1", "6:a=3"])
        #expect(report.recordsRemoved == 3)
        #expect(report.bytesRemoved > 0)
        #expect(try log.records() == Array(before[3...]))
        #expect(try log.headers().allSatisfy { $0.partitionLeaderEpoch == 5 && $0.compression == codec })
        #expect(log.logStartOffset == 0)
        #expect(log.logEndOffset == 7)
        #expect(log.byteCount == (try LogMaking.fileBytes(path + "/00000000000000000000.log").count))
        try log.close()
        let again = try open()
        #expect(again.recovery.isClean)
        #expect(try again.records() == Array(before[3...]))
    }

    @Test func theActiveSegmentIsLeftAlone() throws {
        var log = try open()
        try log.append(try batch("a=1"))
        try log.append(try batch("a=2"))
        #expect(try log.compact() == nil)
        try log.roll()
        try log.append(try batch("a=3"))
        try log.append(try batch("a=4"))
        try log.compact()
        #expect(try log.texts() == ["1:a=2", "2:a=3", "3:a=4"])
    }

    @Test func nothingIsDoneUntilEnoughIsDirty() throws {
        var log = try open()
        let policy = CompactionPolicy(minimumDirtyRatio: 0.5)
        for number in 0..<10 { try log.append(try batch("key\(number)=1")) }
        try log.roll()
        #expect(try log.compact(policy) != nil)
        #expect(try log.compact(policy) == nil)
        for number in 0..<9 { try log.append(try batch("key\(number)=2")) }
        try log.roll()
        #expect(try log.compact(policy) == nil)
        // How far compaction has come outlives a restart.
        try log.close()
        log = try open()
        #expect(try log.compact(policy) == nil)
        try log.append(try batch("key9=2"))
        try log.append(try batch("key9=3"))
        try log.roll()
        #expect(try log.compact(policy) != nil)
        #expect(try log.records().count == 10)
    }

    @Test func youngSegmentsAreLeftAlone() throws {
        var log = try open()
        try log.append(try batch("a=1"))
        try log.append(try batch("a=2"))
        try log.roll()
        try log.append(try batch("a=3", timestamp: LogMaking.start + 10_000))
        try log.roll()
        var policy = CompactionMaking.always
        policy.minimumLagMilliseconds = 1000
        try log.compact(policy, now: LogMaking.start + 10_500)
        #expect(try log.texts() == ["1:a=2", "2:a=3"])
        try log.compact(policy, now: LogMaking.start + 11_000)
        #expect(try log.texts() == ["2:a=3"])
    }

    @Test func tombstonesStayForTheirTime() throws {
        var log = try open()
        try log.append(try batch("a=1"))
        try log.append(try CompactionMaking.batch("a=", "b=1", codec: .lz4))
        try log.append(try batch("c=1"))
        try log.roll()
        var policy = CompactionMaking.always
        policy.deleteRetentionMilliseconds = 1000
        let now = LogMaking.start + 1_000_000
        try log.compact(policy, now: now)
        let records = try log.records()
        #expect(records.map(\.text) == ["1:a=", "2:b=1", "3:c=1"])
        // The batch says when its tombstone may go; its records have kept their timestamps.
        #expect(records.map(\.timestamp) == [LogMaking.start, LogMaking.start + 1, LogMaking.start])
        let header = try #require(try log.headers().first { $0.baseOffset == 1 })
        #expect(header.hasDeleteHorizon && header.baseTimestamp == now + 1000)
        try log.compact(policy, now: now + 999)
        #expect(try log.texts() == ["1:a=", "2:b=1", "3:c=1"])
        try log.compact(policy, now: now + 1000)
        #expect(try log.texts() == ["2:b=1", "3:c=1"])
        #expect(try log.records().map(\.timestamp) == [LogMaking.start + 1, LogMaking.start])
    }

    @Test func recordsWithoutKeyGo() throws {
        var log = try open()
        try log.append(try CompactionMaking.batch("=1", "a=1", "=2"))
        try log.append(try batch("b=1"))
        try log.roll()
        #expect(try log.compact()?.recordsWithoutKey == 2)
        #expect(try log.texts() == ["1:a=1", "3:b=1"])
    }

    @Test func whereTheKeysDoNotFitThereAreSeveralPasses() throws {
        var log = try open(segmentBytes: 400)
        for round in 0..<3 {
            for number in 0..<40 { try log.append(try batch("key\(number)=\(round)")) }
        }
        try log.roll()
        var policy = CompactionMaking.always
        policy.mapBytes = 16 * 32
        let report = try #require(try log.compact(policy))
        #expect(report.passes > 5)
        #expect(try log.texts() == (0..<40).map { "\(80 + $0):key\($0)=2" })
    }

    @Test func smallSegmentsBecomeOne() throws {
        var log = try open(segmentBytes: 1000)
        for number in 0..<100 { try log.append(try batch("key\(number % 5)=\(number)")) }
        try log.roll()
        let count = log.segmentCount
        try log.compact()
        try log.compact()
        #expect(log.segmentCount < count / 3)
        #expect(try log.records().count == 5)
        #expect(log.logStartOffset == 0)
        // Reading from any offset gives what comes next.
        for offset in 0..<100 {
            #expect(try log.records(from: Offset(Int64(offset))).count == min(5, 100 - offset))
        }
    }

    @Test func aProducersLastBatchStaysWithoutItsRecords() throws {
        var log = try open()
        try log.append(try CompactionMaking.batch("a=1", "b=1", producer: 7, sequence: 0))
        try log.append(try CompactionMaking.batch("a=2", "b=2", codec: .zstd, producer: 7, sequence: 2))
        try log.append(try CompactionMaking.batch("a=3", "b=3", producer: 8, sequence: 0))
        try log.append(try batch("c=1"))
        try log.roll()
        try log.compact()
        #expect(try log.texts() == ["4:a=3", "5:b=3", "6:c=1"])
        let empty = try #require(try log.headers().first)
        #expect(empty.recordCount == 0)
        #expect(empty.producerID == 7 && empty.producerEpoch == 3 && empty.baseSequence == 2 && empty.lastSequence == 3)
        #expect(empty.baseOffset == 2 && empty.lastOffset == 3)
        // A day later nobody asks for it.
        try log.compact(now: LogMaking.start + 86_400_010)
        #expect(try log.headers().allSatisfy { $0.producerID != 7 })
    }

    @Test func timestampsAreFoundBesideBatchesWithoutRecords() throws {
        var log = try open()
        try log.append(try CompactionMaking.batch("a=1", timestamp: LogMaking.start + 9000, producer: 7))
        try log.append(try batch("a=2", timestamp: LogMaking.start + 1000))
        try log.append(try batch("b=1", timestamp: LogMaking.start + 2000))
        try log.roll()
        try log.compact()
        try log.compact()
        for _ in 0..<2 {
            #expect(try log.headers().first?.recordCount == 0)
            #expect(try log.largestTimestampSearch().find()?.offset == 2)
            #expect(try log.offset(forTimestamp: LogMaking.start)?.offset == 1)
            #expect(try log.offset(forTimestamp: LogMaking.start + 3000) == nil)
            try log.close()
            log = try open()
            #expect(log.recovery.isClean)
            #expect(log.recovery.scannedBytes == 0)
        }
    }

    @Test func whatATransactionAbortedGoes() throws {
        var log = try open()
        try log.append(try batch("a=0"))
        try log.append(try CompactionMaking.batch("a=1", producer: 7, isTransactional: true))
        try log.append(try CompactionMaking.batch("b=1", producer: 8, isTransactional: true))
        try log.append(try CompactionMaking.marker(producer: 7, isCommit: false))
        try log.append(try CompactionMaking.marker(producer: 8, isCommit: true))
        try log.append(try CompactionMaking.batch("c=1", producer: 7, sequence: 1, isTransactional: true))
        try log.append(try CompactionMaking.marker(producer: 7, isCommit: true))
        try log.append(try batch("d=1"))
        try log.roll()
        var policy = CompactionMaking.always
        policy.deleteRetentionMilliseconds = 1000
        try log.compact(policy)
        #expect(try log.headers().map(\.baseOffset) == [0, 2, 3, 4, 5, 6, 7])
        #expect(try log.headers().filter(\.isControl).allSatisfy(\.hasDeleteHorizon))
        // The abort's marker goes once its time is over; the others' data is there still.
        try log.compact(policy, now: LogMaking.start + 1000)
        #expect(try log.headers().map(\.baseOffset) == [0, 2, 4, 5, 6, 7])
    }

    @Test func nothingFromAnOpenTransactionOnIsTouched() throws {
        var log = try open()
        try log.append(try batch("a=0"))
        try log.append(try batch("a=1"))
        try log.roll()
        try log.append(try CompactionMaking.batch("a=2", producer: 7, isTransactional: true))
        try log.append(try batch("a=3"))
        try log.roll()
        try log.compact()
        #expect(try log.texts() == ["1:a=1", "2:a=2", "3:a=3"])
        // The marker may lie in the active segment.
        try log.append(try CompactionMaking.marker(producer: 7, isCommit: false))
        try log.compact()
        #expect(try log.headers().map(\.baseOffset) == [2, 3, 4])
        #expect(try log.headers().map(\.recordCount) == [0, 1, 1])
    }

    @Test func retentionBetweenTheStepsMakesCompactionStop() throws {
        var log = try open(segmentBytes: 1000)
        for number in 0..<40 { try log.append(try batch("key\(number % 5)=\(number)")) }
        try log.roll()
        var calls = 0
        _ = try Compactor.run(CompactionMaking.always, now: LogMaking.start) { (body) throws(LogError) in
            calls += 1
            if calls == 2 { _ = try log.deleteSegments(before: 39) }
            try body(&log)
        }
        #expect(calls == 2)
        #expect(log.logStartOffset > 0)
        #expect(try LogMaking.names(in: path).allSatisfy { !$0.hasSuffix(SegmentSuffix.cleaned) })
        let texts = try log.texts()
        try log.close()
        #expect(try open().texts() == texts)
    }

    @Test func readersAndAppendsGoOnMeanwhile() throws {
        var log = try open(segmentBytes: 1000)
        for number in 0..<40 { try log.append(try batch("key\(number % 5)=\(number)")) }
        try log.roll()
        let slice = try log.locate(from: 0, maximumBytes: 500)
        let search = log.timestampSearch(for: LogMaking.start)
        _ = try Compactor.run(CompactionMaking.always, now: LogMaking.start) { (body) throws(LogError) in
            try body(&log)
            do {
                try log.append(try batch("new=1"))
            } catch { Issue.record(error) }
        }
        #expect(try LogMaking.records(in: slice.read()).first?.text == "0:key0=0")
        #expect(try search.find() != nil)
        #expect(try log.texts().last?.hasSuffix("new=1") ?? false)
    }

    @Test func aFullDiskEndsCompactionAndLeavesNothingBehind() throws {
        let faults = FaultyFileSystem()
        var log = try Log(directory: path, fileSystem: faults)
        for number in 0..<40 { try log.append(try batch("a=\(number)")) }
        try log.roll()
        faults.setRule { $0.kind == .write ? .fail(28) : .proceed }
        #expect(throws: LogError.self) { try log.compact() }
        #expect(try LogMaking.names(in: path).allSatisfy { !$0.hasSuffix(SegmentSuffix.cleaned) })
        faults.setRule { _ in .proceed }
        try log.compact()
        #expect(try log.texts() == ["39:a=39"])
    }

    @Test func aLogBehindALockIsCompactedWhileItIsInUse() async throws {
        let owner = LogOwner(try open(segmentBytes: 2000))
        let count = 600
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<count {
                    try owner.append(try CompactionMaking.batch("key\(number % 7)=\(number)"))
                    if number % 20 == 0 { await Task.yield() }
                }
            }
            group.addTask {
                while owner.endOffset < Offset(Int64(count)) {
                    try owner.compact()
                    await Task.yield()
                }
            }
            group.addTask {
                while owner.endOffset < Offset(Int64(count)) {
                    let offsets = try owner.records().map(\.offset)
                    #expect(offsets == offsets.sorted())
                    _ = try owner.search().find()
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        try owner.rollAndCompact()
        #expect(try owner.records().map(\.text) == (593..<600).map { "\($0):key\($0 % 7)=\($0)" })
    }

    @Test func damageEndsCompactionAndNothingIsLost() throws {
        var log = try open()
        for number in 0..<6 { try log.append(try batch("a=\(number)")) }
        try log.roll()
        let file = path + "/00000000000000000000.log"
        let intact = try LogMaking.fileBytes(file)
        for byte in stride(from: 8, to: intact.count, by: 7) where !(12..<16).contains(byte % (intact.count / 6)) {
            var bytes = intact
            bytes[byte] ^= 1
            try LogMaking.write(bytes, to: file)
            do {
                try log.compact()
                // A base offset is in no CRC, but must fit the others'.
                Issue.record("byte \(byte) was not missed")
            } catch {
                #expect("\(error)".contains(file))
            }
            #expect(try LogMaking.names(in: path, suffix: ".log").count == 2)
        }
    }
}

/// A log behind a lock, as a broker's partition has it.
private final class LogOwner: Sendable {
    private struct State: ~Copyable {
        var log: Log
    }

    private let state: Mutex<State>

    init(_ log: consuming sending Log) {
        state = Mutex(State(log: log))
    }

    var endOffset: Offset { state.withLock { $0.log.logEndOffset } }

    func append(_ batch: EncodedBatch) throws {
        _ = try state.withLock { try $0.log.append(batch) }
    }

    func compact() throws {
        _ = try Compactor.run(CompactionMaking.always, now: LogMaking.start) { (body) throws(LogError) in
            try state.withLock { (state) throws(LogError) in try body(&state.log) }
        }
    }

    func rollAndCompact() throws {
        try state.withLock { try $0.log.roll() }
        try compact()
    }

    func search() -> TimestampSearch {
        state.withLock { $0.log.timestampSearch(for: LogMaking.start) }
    }

    /// Located under the lock, read outside it.
    func records() throws -> [Record] {
        var records: [Record] = []
        var next: Offset = 0
        while true {
            let bytes = try state.withLock { try $0.log.locate(from: next, maximumBytes: 1000) }.read()
            if bytes.readableBytes == 0 { return records }
            records += try LogMaking.records(in: bytes)
            try RecordBatchHeader.walk(bytes) { header, _ in
                next = header.nextOffset
                return true
            }
        }
    }
}
