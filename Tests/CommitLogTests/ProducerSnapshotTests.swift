import Glibc
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import CommitLog

/// What a log knows of its producers and transactions outlives closing, killing and damage.
@Suite struct ProducerSnapshotTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
    }

    private func open() throws -> Log { try Log(directory: path, configuration: LogMaking.small) }

    private static func batch(
        _ sequence: Int32, id: Int64 = 7, isTransactional: Bool = false
    ) throws -> EncodedBatch {
        try CompactionMaking.batch(
            "k=" + String(repeating: "v", count: 60), producer: id, sequence: sequence,
            isTransactional: isTransactional)
    }

    private func snapshots() throws -> [String] { try LogMaking.names(in: path, suffix: ".snapshot") }

    /// What of a log must be the same after it was opened again.
    private struct Knowledge: Equatable {
        let producers: [Int64: ProducerState]
        let aborted: [AbortedTransaction]
        let stable: Offset

        init(_ log: borrowing Log) throws {
            producers = Dictionary(
                uniqueKeysWithValues: log.producers.all.map { id, state in
                    var state = state
                    state.lastUsed = 0
                    return (id, state)
                })
            aborted = try log.abortedTransactionSearch(from: log.logStartOffset).find(before: Offset(.max))
            stable = log.lastStableOffset(highWatermark: log.logEndOffset)
        }
    }

    /// Several segments of batches of two producers, with transactions that were committed, aborted and left open.
    private func fill(_ log: inout Log) throws {
        for round in Int32(0)..<12 {
            try log.append(try Self.batch(round))
            try log.append(try Self.batch(round, id: 8, isTransactional: true))
            try log.append(try Self.batch(round, id: 9, isTransactional: true))
            if round % 2 == 1 { try log.append(try CompactionMaking.marker(producer: 8, isCommit: round % 4 == 1)) }
            if round % 3 == 2, round < 11 { try log.append(try CompactionMaking.marker(producer: 9, isCommit: false)) }
        }
        #expect(log.segmentCount > 4)
        log.markersAreVisible(before: log.logEndOffset)
    }

    /// A bit in the middle of the file turns over.
    private static func damage(_ path: String) throws {
        var bytes = try LogMaking.fileBytes(path)
        guard !bytes.isEmpty else { return }
        bytes[bytes.count / 2] ^= 0x10
        try LogMaking.write(bytes, to: path)
    }

    @Test func theFileIsKafkas() throws {
        var states = ProducerStates(limit: 10)
        states.record(try Self.batch(5, isTransactional: true).header, at: 42, now: 1_000)
        let bytes = Array(ProducerSnapshot.encode(states).readableBytesView)
        let body: [UInt8] =
            [0, 0, 0, 1] + [0, 0, 0, 0, 0, 0, 0, 7] + [0, 3] + [0, 0, 0, 5] + [0, 0, 0, 0, 0, 0, 0, 42] + [0, 0, 0, 0]
            + [0, 0, 0, 0, 0, 0, 3, 0xe8] + [0xff, 0xff, 0xff, 0xff] + [0, 0, 0, 0, 0, 0, 0, 42]
        let crc = CRC32C.checksum(ByteBuffer(bytes: body))
        #expect(bytes == [0, 1] + withUnsafeBytes(of: crc.bigEndian) { Array($0) } + body)
    }

    @Test func everyDamageToASnapshotIsSeen() throws {
        var states = ProducerStates(limit: 10)
        for sequence in Int32(0)..<3 {
            states.record(try Self.batch(sequence).header, at: Offset(Int64(sequence)), now: 9)
        }
        let whole = ProducerSnapshot.encode(states)
        #expect(ProducerSnapshot.decode(whole, limit: 10)?.all.map(\.state) == states.all.map(\.state))
        for index in 0..<whole.readableBytes {
            var damaged = whole
            damaged.setInteger(whole.getInteger(at: index, as: UInt8.self)! ^ 1, at: index)
            #expect(ProducerSnapshot.decode(damaged, limit: 10) == nil)
            #expect(ProducerSnapshot.decode(whole.getSlice(at: 0, length: index)!, limit: 10) == nil)
        }
    }

    @Test func aClosedLogKnowsItsProducersWithoutReadingIt() throws {
        var log = try open()
        try fill(&log)
        let knowledge = try Knowledge(log)
        #expect(!knowledge.aborted.isEmpty && knowledge.stable < log.logEndOffset)
        try log.close()
        let end = log.logEndOffset
        let again = try open()
        #expect(again.recovery.isClean && again.recovery.scannedBytes == 0)
        #expect(try Knowledge(again) == knowledge)
        #expect(try snapshots().contains(SegmentName(end).snapshot))
    }

    @Test func aKilledLogKnowsItsProducers() throws {
        var log = try open()
        try fill(&log)
        let knowledge = try Knowledge(log)
        // Nothing is closed: the files are as a kill leaves them.
        let copy = directory.appending("copy")
        try LogMaking.copy(path, to: copy)
        let again = try Log(directory: copy, configuration: LogMaking.small)
        #expect(try Knowledge(again) == knowledge)
        #expect(again.recovery.rebuiltIndexes.allSatisfy { !$0.hasSuffix("snapshot") })
        try log.close()
    }

    @Test func theLastFiveBatchesAreRecognisedAfterARestart() throws {
        var log = try open()
        for sequence in Int32(0)..<8 { try log.append(try Self.batch(sequence)) }
        try log.close()
        let again = try open()
        for sequence in Int32(3)...7 {
            guard case .duplicate(let batch) = again.verdict(on: try Self.batch(sequence).header) else {
                Issue.record("sequence \(sequence) was not recognised")
                continue
            }
            #expect(batch.baseOffset == Offset(Int64(sequence)))
        }
        #expect(again.verdict(on: try Self.batch(9).header) == .refuse(.outOfOrder))
    }

    @Test(arguments: [".snapshot", ".txnindex", "transaction-indexes"])
    func whatIsDamagedOrMissingIsMadeAnew(_ suffix: String) throws {
        var log = try open()
        try fill(&log)
        let knowledge = try Knowledge(log)
        try log.close()
        let names = try LogMaking.names(in: path, suffix: suffix)
        #expect(!names.isEmpty)
        for name in names {
            for isMissing in [true, false] {
                let copy = directory.appending("copy")
                try LogMaking.copy(path, to: copy)
                if isMissing { removeTree("\(copy)/\(name)") } else { try Self.damage("\(copy)/\(name)") }
                var again = try Log(directory: copy, configuration: LogMaking.small)
                #expect(try Knowledge(again) == knowledge, "\(name), missing: \(isMissing)")
                // Older snapshots are not read as long as the last one is intact, and a missing list is made anew from
                // the indexes that would be in it.
                let isLast = name == names.last
                if suffix != ".snapshot" && !(suffix == "transaction-indexes" && isMissing) || isLast && !isMissing {
                    #expect(!again.recovery.isClean, "\(name), missing: \(isMissing)")
                }
                try again.close()
                #expect(try Log(directory: copy, configuration: LogMaking.small).recovery.isClean)
            }
        }
        for missing in [".snapshot", "index"] {
            let copy = directory.appending("copy")
            try LogMaking.copy(path, to: copy)
            for name in try LogMaking.names(in: copy, suffix: missing) { removeTree("\(copy)/\(name)") }
            #expect(try Knowledge(try Log(directory: copy, configuration: LogMaking.small)) == knowledge)
        }
    }

    /// Everything that an opening has to make anew finds no room: the log is opened, knows all, and takes batches when there is.
    @Test func aFullDiskKeepsNobodyFromOpening() throws {
        var log = try open()
        try fill(&log)
        let knowledge = try Knowledge(log)
        try log.close()
        for suffix in [".txnindex", ".snapshot", "index", "checkpoint"] {
            for name in try LogMaking.names(in: path, suffix: suffix) { removeTree("\(path)/\(name)") }
        }
        let disk = FaultyFileSystem()
        disk.setRule { $0.kind == .write ? .fail(ENOSPC) : .proceed }
        do {
            var full = try Log(directory: path, configuration: LogMaking.small, fileSystem: disk)
            #expect(try Knowledge(full) == knowledge)
            #expect(try LogMaking.names(in: path, suffix: ".txnindex").isEmpty)
            #expect(throws: LogError.self) { try full.append(try Self.batch(12)) }
            disk.setRule { _ in .proceed }
            try full.append(try Self.batch(12))
            try full.close()
        }
        var again = try open()
        #expect(try Knowledge(again).aborted == knowledge.aborted)
        #expect(try !LogMaking.names(in: path, suffix: ".txnindex").isEmpty)
        try again.close()
        #expect(try open().recovery.isClean)
    }

    /// Kafka writes one entry for a producer and takes the last of several.
    @Test func theLastEntryOfAProducerSaysWhetherATransactionIsOpen() throws {
        func state(_ open: Offset?) -> ProducerState {
            var state = ProducerState(epoch: 3, lastUsed: 1)
            state.openSince = open
            return state
        }
        var states = ProducerStates(limit: 10)
        states.restore(state(4), of: 7)
        states.restore(state(9), of: 8)
        #expect(states.firstUnstableOffset == 4)
        states.restore(state(nil), of: 7)
        #expect(states.firstUnstableOffset == 9)
        states.restore(state(6), of: 8)
        #expect(states.firstUnstableOffset == 6)
        states.restore(state(nil), of: 8)
        #expect(states.firstUnstableOffset == nil)
    }

    @Test func snapshotsGoWithTheirSegments() throws {
        var log = try open()
        try fill(&log)
        let before = try snapshots().count
        #expect(before >= log.segmentCount - 1)
        let middle = log.logEndOffset.advanced(by: -10)
        let removed = try log.deleteSegments(before: middle)
        #expect(removed > 1)
        #expect(try snapshots().count <= before - removed + 1)
        #expect(
            try LogMaking.names(in: path, suffix: ".txnindex").allSatisfy { name in
                FileSystemProbe.exists("\(path)/\(name.dropLast(9)).log")
            })
        try log.close()
    }

    @Test func compactionLeavesWhatCanBeRebuilt() throws {
        var log = try open()
        try fill(&log)
        try log.append(try CompactionMaking.marker(producer: 9, isCommit: true))
        log.markersAreVisible(before: log.logEndOffset)
        try log.roll()
        try log.compact()
        let stable = log.lastStableOffset(highWatermark: log.logEndOffset)
        #expect(stable == log.logEndOffset)
        try log.close()
        for isStripped in [false, true] {
            if isStripped {
                for suffix in [".snapshot", ".txnindex", "transaction-indexes"] {
                    for name in try LogMaking.names(in: path, suffix: suffix) { removeTree("\(path)/\(name)") }
                }
            }
            var again = try open()
            #expect(again.lastStableOffset(highWatermark: again.logEndOffset) == again.logEndOffset)
            #expect(again.producers.all.map(\.producerID) == [7, 8, 9])
            try again.close()
        }
    }

    @Test func aLogThatLostItsEndForgetsWhatWasThere() throws {
        var log = try open()
        try fill(&log)
        try log.close()
        let last = try #require(
            try LogMaking.names(in: path, suffix: ".log").last { name in
                try! !LogMaking.fileBytes("\(path)/\(name)").isEmpty
            })
        let bytes = try LogMaking.fileBytes("\(path)/\(last)")
        try LogMaking.write(bytes.dropLast(10), to: "\(path)/\(last)")
        let again = try open()
        let reference = directory.appending("reference")
        try LogMaking.copy(path, to: reference)
        for name in try LogMaking.names(in: reference, suffix: ".snapshot") { removeTree("\(reference)/\(name)") }
        let rebuilt = try Log(directory: reference, configuration: LogMaking.small)
        #expect(try Knowledge(again).stable == Knowledge(rebuilt).stable)
        #expect(again.producers.all.map(\.state.recent) == rebuilt.producers.all.map(\.state.recent))
    }
}

private enum FileSystemProbe {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
