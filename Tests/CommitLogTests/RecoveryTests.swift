import CommitLog
import FoundationEssentials
import NIOCore
import RecordBatch
import TestKit
import Testing

/// What a log makes of files that a crash, a full disk or a failing disk has left.
@Suite struct RecoveryTests {
    static let batchBytes = LogMaking.batchBytes
    let directory: TemporaryDirectory
    let path: String
    var first: String { path + "/00000000000000000000.log" }

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
    }

    private func fill(_ count: Int, configuration: LogConfiguration = LogMaking.small, close: Bool = false) throws {
        var log = try Log(directory: path, configuration: configuration, fileSystem: FaultyFileSystem())
        for number in 0..<count { _ = try log.append(number: number) }
        if close { try log.close() }
    }

    private func open(_ configuration: LogConfiguration = LogMaking.small) throws -> Log {
        try Log(directory: path, configuration: configuration, fileSystem: FaultyFileSystem())
    }

    @Test func aTornTailIsCutWhereverItIsTorn() throws {
        try fill(4)
        let whole = try LogMaking.fileBytes(first)
        #expect(whole.count == 4 * Self.batchBytes)
        for length in (3 * Self.batchBytes)..<whole.count {
            try LogMaking.write(whole.prefix(length), to: first)
            do {
                var log = try open()
                let torn = length - 3 * Self.batchBytes
                #expect(log.logEndOffset == 3)
                #expect(try log.values() == numbered(0..<3))
                #expect(log.recovery.cuts.map(\.byteCount) == (torn == 0 ? [] : [torn]))
                #expect(log.recovery.cuts.allSatisfy { $0.position == 3 * Self.batchBytes && $0.path == first })
                #expect(log.recovery.cuts.allSatisfy { $0.movedTo == nil && !$0.reason.isEmpty })
                #expect(try log.append(number: 3) == 3)
            }
            #expect(try LogMaking.fileBytes(first) == whole)
        }
        #expect(try LogMaking.names(in: path, suffix: "corrupt").isEmpty)
    }

    @Test func zerosAfterTheEndAreCut() throws {
        try fill(3)
        for count in [1, 60, 61, 5000, 600_000] {
            try LogMaking.write(
                try LogMaking.fileBytes(first).prefix(3 * Self.batchBytes) + [UInt8](repeating: 0, count: count),
                to: first)
            let log = try open()
            #expect(try log.values() == numbered(0..<3))
            #expect(log.recovery.cuts.map(\.byteCount) == [count])
            #expect(log.recovery.cuts.map(\.movedTo) == [nil])
        }
    }

    @Test func everyDamagedByteOfASealedSegmentCostsItsBatchOnly() throws {
        try fill(13)
        // Without a recovery point everything is checked.
        removeTree(path + "/recovery-point")
        let copy = directory.appending("copy")
        try LogMaking.copy(path, to: copy)
        let whole = try LogMaking.fileBytes(first)
        for batch in [0, 2, 4] {
            for byte in 0..<Self.batchBytes {
                // The leader epoch is nobody's concern here; the records are long and all alike.
                if (12..<16).contains(byte) || (byte > 80 && byte % 20 != 0) { continue }
                try LogMaking.copy(copy, to: path)
                var damaged = whole
                damaged[batch * Self.batchBytes + byte] ^= 0x10
                try LogMaking.write(damaged, to: first)
                let expected = (0..<13).filter { $0 != batch }
                do {
                    let log = try open()
                    #expect(try log.values() == numbered(expected), "byte \(byte) of batch \(batch)")
                    #expect(log.logEndOffset == 13)
                    let cut = try #require(log.recovery.cuts.first)
                    #expect(log.recovery.cuts.count == 1)
                    #expect(cut.path == first)
                    #expect(cut.position == batch * Self.batchBytes)
                    #expect(cut.byteCount == Self.batchBytes)
                    let kept = try #require(cut.movedTo)
                    let start = batch * Self.batchBytes
                    #expect(try LogMaking.fileBytes(kept) == Array(damaged[start..<start + Self.batchBytes]))
                    #expect(try #require(log.recovery.summary).contains(first))
                }
                let again = try open()
                #expect(again.recovery.isClean)
                #expect(try again.values() == numbered(expected))
            }
        }
    }

    @Test func aDamagedBatchWithinTheLastSegmentIsCutOut() throws {
        let configuration = LogConfiguration(indexIntervalBytes: 100)
        try fill(6, configuration: configuration)
        let copy = directory.appending("copy")
        try LogMaking.copy(path, to: copy)
        let whole = try LogMaking.fileBytes(first)
        for byte in 0..<Self.batchBytes where !(12..<16).contains(byte) && (byte < 80 || byte % 20 == 0) {
            try LogMaking.copy(copy, to: path)
            var damaged = whole
            damaged[2 * Self.batchBytes + byte] ^= 1
            try LogMaking.write(damaged, to: first)
            do {
                var log = try open(configuration)
                #expect(try log.values() == numbered([0, 1, 3, 4, 5]), "byte \(byte)")
                #expect(log.recovery.cuts.map(\.byteCount) == [Self.batchBytes])
                #expect(log.recovery.cuts.allSatisfy { $0.movedTo != nil })
                let next = log.logEndOffset
                #expect(try log.append(number: 6) == next)
            }
            let again = try open(configuration)
            #expect(again.recovery.isClean)
            #expect(try again.values().last == "record 6")
        }
    }

    @Test func aDamagedLengthIsToldFromATornTailBehindIt() throws {
        let configuration = LogConfiguration(indexIntervalBytes: 100)
        for torn in [1, 60, 109, 110, 169] {
            removeTree(path)
            try fill(6, configuration: configuration)
            var bytes = try LogMaking.fileBytes(first)
            // The second batch claims to reach beyond the file, and the last one is half written.
            bytes[Self.batchBytes + 9] ^= 1
            try LogMaking.write(bytes.dropLast(torn), to: first)
            do {
                let log = try open(configuration)
                #expect(try log.values() == numbered([0, 2, 3, 4]), "torn by \(torn)")
                let cuts = log.recovery.cuts
                #expect(cuts.map(\.byteCount) == [Self.batchBytes, Self.batchBytes - torn])
                #expect(cuts.map { $0.movedTo != nil } == [true, false])
                #expect(cuts.first?.reason.contains("length is damaged") ?? false)
            }
            #expect(try open(configuration).recovery.isClean)
        }
    }

    @Test func aBatchInsideARecordsValueIsNoBatchOfTheLog() throws {
        // A record whose value is a whole batch with the next offsets, torn right after it.
        var inner = try LogMaking.batch(["forged"])
        inner.assign(baseOffset: 4, leaderEpoch: 0)
        var builder = RecordBatchBuilder()
        builder.append(timestamp: LogMaking.start, key: nil, value: inner.bytes)
        builder.append(timestamp: LogMaking.start, key: nil, value: ByteBuffer(string: "after"))
        let outer = try builder.finish()
        for torn in [8, 1] {
            do {
                var log = try open()
                while log.logEndOffset < 3 { _ = try log.append(number: Int(log.logEndOffset.rawValue)) }
                _ = try log.append(outer, leaderEpoch: 0)
            }
            let bytes = try LogMaking.fileBytes(first)
            try LogMaking.write(bytes.dropLast(torn), to: first)
            let log = try open()
            #expect(try log.values() == numbered(0..<3))
        }
    }

    @Test func indexesAreMadeAnewWhereTheyDoNotFit() throws {
        try fill(13, close: true)
        let copy = directory.appending("copy")
        try LogMaking.copy(path, to: copy)
        let spoil: [@Sendable ([UInt8]) -> [UInt8]?] = [
            { _ in nil },
            { _ in [] },
            { Array($0.dropLast(3)) },
            { [UInt8](repeating: 0, count: $0.count) },
            { [UInt8](repeating: 0xff, count: $0.count) },
            { Array($0.dropLast(12)) },
        ]
        for name in try LogMaking.names(in: path, suffix: "index") {
            for (number, spoil) in spoil.enumerated() {
                try LogMaking.copy(copy, to: path)
                let intact = try LogMaking.fileBytes(path + "/" + name)
                removeTree(path + "/" + name)
                if let spoiled = spoil(intact) { try LogMaking.write(spoiled, to: path + "/" + name) }
                do {
                    var log = try open()
                    #expect(try log.values() == numbered(0..<13), "\(name) \(number)")
                    #expect(log.recovery.cuts.isEmpty)
                    if number == 0 || number == 2 { #expect(log.recovery.rebuiltIndexes.contains(path + "/" + name)) }
                    let found = try log.offset(forTimestamp: LogMaking.start + 7500)
                    #expect(found?.offset == 8, "\(name) \(number)")
                    try log.close()
                }
                #expect(try open().recovery.isClean)
            }
        }
    }

    @Test func aRecoveryPointThatMakesNoSenseIsIgnored() throws {
        try fill(13, close: true)
        let point = path + "/recovery-point"
        let intact = try LogMaking.fileBytes(point)
        for spoiled in [[], Array(intact.dropLast(3)), Array("1 2 3".utf8), [UInt8](repeating: 0xfe, count: 40)] {
            try LogMaking.write(spoiled, to: point)
            var log = try open()
            #expect(log.recovery.isClean)
            #expect(log.recovery.scannedBytes == 13 * Self.batchBytes)
            #expect(try log.values() == numbered(0..<13))
            try log.close()
        }
        // A file that lost bytes which had been synced is checked, and they are missed.
        let last = path + "/00000000000000000010.log"
        try LogMaking.write(try LogMaking.fileBytes(last).dropLast(10), to: last)
        let log = try open()
        #expect(log.logEndOffset == 12)
        #expect(log.recovery.cuts.count == 1)
        #expect(log.recovery.lostOffsets == 12..<13)
        #expect(try #require(log.recovery.summary).contains("offsets 12 to 12 were on disk and are gone"))
    }

    @Test func aLargeSegmentIsCheckedFromTheLastRecoveryPointOnly() throws {
        let configuration = LogConfiguration()
        let large = try LogMaking.batch([String(repeating: "x", count: 4 << 20)])
        do {
            var log = try open(configuration)
            for _ in 0..<20 {
                _ = try log.append(large, leaderEpoch: 0)
                try log.syncPoint().perform()
            }
        }
        let log = try open(configuration)
        #expect(log.logEndOffset == 20)
        #expect(log.recovery.isClean)
        #expect(log.recovery.scannedBytes < 17 << 20)
        #expect(try log.records(from: 15).count == 5)
    }

    @Test func aRecoveryThatIsInterruptedAnywhereLosesNothing() throws {
        try fill(13)
        removeTree(path + "/recovery-point")
        var damaged = try LogMaking.fileBytes(first)
        damaged[2 * Self.batchBytes + 100] ^= 1
        try LogMaking.write(damaged, to: first)
        let last = path + "/00000000000000000010.log"
        try LogMaking.write(try LogMaking.fileBytes(last) + [1, 2, 3], to: last)
        let copy = directory.appending("copy")
        try LogMaking.copy(path, to: copy)
        var number = 1
        while true {
            try LogMaking.copy(copy, to: path)
            let faults = FaultyFileSystem()
            // From there on nothing works, as after a crash.
            faults.setRule { [number] in $0.number >= number ? .fail(5) : .proceed }
            do {
                _ = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
            } catch {
                #expect(error.description.contains(path))
            }
            let log = try open()
            #expect(try log.values() == numbered((0..<13).filter { $0 != 2 }), "operation \(number)")
            #expect(log.logEndOffset == 13)
            let kept = try LogMaking.names(in: path, suffix: "corrupt")
            #expect(!kept.isEmpty)
            if faults.operationCount < number { break }
            number += 1
        }
        #expect(number > 5)
    }

    @Test func aLogOfNothingButDamageStartsAgain() throws {
        try fill(3)
        try LogMaking.write([UInt8](repeating: 0xab, count: 3000), to: first)
        var log = try open()
        #expect(log.logEndOffset == 0)
        #expect(log.recovery.cuts.map(\.byteCount) == [3000])
        #expect(try log.append(number: 0) == 0)
        #expect(try log.values() == numbered(0..<1))
    }

    @Test func damageFoundWhileReadingIsAnErrorThatNamesTheFile() throws {
        var log = try open()
        for number in 0..<13 { _ = try log.append(number: number) }
        var bytes = try LogMaking.fileBytes(first)
        bytes[16] = 9
        try LogMaking.write(bytes, to: first)
        do {
            _ = try log.locate(from: 0, maximumBytes: 1000).read()
            Issue.record("no error")
        } catch {
            #expect(error.description.contains(first))
        }
        #expect(try log.records(from: 5).count == 8)
    }
}
