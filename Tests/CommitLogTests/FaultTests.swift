import CommitLog
import Glibc
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

/// Failing system calls: an append that failed is not there, one that succeeded is, and the log goes on.
@Suite struct FaultTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
    }

    /// Appends batches 0..<count, syncing now and then.
    ///
    /// - Returns: the numbers of those that were acknowledged, in order.
    private func run(_ count: Int, _ faults: FaultyFileSystem) throws -> (acknowledged: [Int], failures: [LogError]) {
        var acknowledged: [Int] = []
        var failures: [LogError] = []
        var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
        for number in 0..<count {
            let batch = try LogMaking.batch(number: number)
            do throws(LogError) {
                let base = try log.append(batch, leaderEpoch: 0)
                #expect(base == Offset(Int64(acknowledged.count)))
                acknowledged.append(number)
                if number % 4 == 3 { try log.syncPoint().perform() }
            } catch {
                failures.append(error)
            }
        }
        #expect(try log.values() == numbered(acknowledged))
        return (acknowledged, failures)
    }

    @Test func everyFailingOperationLeavesExactlyWhatWasAcknowledged() throws {
        let count = 14
        let healthy = FaultyFileSystem()
        _ = try run(count, healthy)
        let operations = healthy.operations
        #expect(operations.count > 30)
        for operation in operations {
            removeTree(path)
            let faults = FaultyFileSystem()
            faults.failOperation(operation.number)
            let acknowledged: [Int]
            do {
                let failures: [LogError]
                (acknowledged, failures) = try run(count, faults)
                switch operation.kind {
                case .sync, .syncDirectory:
                    // Nothing is taken after a failed sync.
                    #expect(failures.count == count - acknowledged.count + 1 || failures.isEmpty, "\(operation)")
                default:
                    #expect(acknowledged.count >= count - 1, "\(operation)")
                }
            } catch {
                // The log could not be opened in the first place.
                #expect(operation.number <= 4, "\(operation)")
                continue
            }
            let log = try Log(directory: path, configuration: LogMaking.small, fileSystem: FaultyFileSystem())
            #expect(try log.values() == numbered(acknowledged), "\(operation)")
            #expect(log.recovery.cuts.isEmpty)
        }
    }

    @Test func aWriteThatStopsAnywhereIsTakenBack() throws {
        for written in 0..<LogMaking.batchBytes {
            removeTree(path)
            let faults = FaultyFileSystem()
            var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
            _ = try log.append(number: 0)
            let full = Flag()
            faults.setRule { operation in
                guard operation.kind == .write else { return .proceed }
                return written > 0 && full.raise() ? .writeOnly(written) : .fail(ENOSPC)
            }
            do {
                _ = try log.append(number: 1)
                Issue.record("no error")
            } catch let error as LogError {
                #expect(error.description.contains("00000000000000000000.log"))
                #expect(error.description.contains("free some disk space"))
            }
            #expect(log.logEndOffset == 1)
            #expect(try LogMaking.fileBytes(path + "/00000000000000000000.log").count == LogMaking.batchBytes)
            faults.setRule { _ in .proceed }
            #expect(try log.append(number: 2) == 1)
            #expect(try log.values() == numbered([0, 2]))
            let again = try Log(directory: path, configuration: LogMaking.small, fileSystem: FaultyFileSystem())
            #expect(again.recovery.cuts.isEmpty)
            #expect(try again.values() == numbered([0, 2]))
        }
    }

    @Test func whatCannotBeTakenBackAtOnceIsTakenBackLater() throws {
        let faults = FaultyFileSystem()
        var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
        _ = try log.append(number: 0)
        let half = Flag()
        faults.setRule { operation in
            switch operation.kind {
            case .write: half.raise() ? .writeOnly(100) : .fail(ENOSPC)
            default: .fail(EIO)
            }
        }
        expectFailure { _ = try log.append(number: 1) }
        #expect(try log.values() == numbered([0]))
        // As long as the torn bytes are there nothing is written over them.
        expectFailure { _ = try log.append(number: 2) }
        #expect(try LogMaking.fileBytes(path + "/00000000000000000000.log").count == LogMaking.batchBytes + 100)
        faults.setRule { _ in .proceed }
        #expect(try log.append(number: 3) == 1)
        #expect(try LogMaking.fileBytes(path + "/00000000000000000000.log").count == 2 * LogMaking.batchBytes)
        #expect(try log.values() == numbered([0, 3]))
    }

    @Test func afterAFullDiskTheLogGoesOn() throws {
        let faults = FaultyFileSystem()
        var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
        var acknowledged: [Int] = []
        for number in 0..<40 {
            // The disk is full for ten appends, during which a segment would have been begun.
            let isFull = (13..<23).contains(number)
            faults.setRule { operation in
                switch operation.kind {
                case .write where isFull, .create where isFull: .fail(ENOSPC)
                default: .proceed
                }
            }
            do {
                _ = try log.append(number: number)
                acknowledged.append(number)
            } catch {
                #expect(isFull)
            }
        }
        #expect(acknowledged.count == 30)
        #expect(try log.values() == numbered(acknowledged))
        try log.close()
        let again = try Log(directory: path, configuration: LogMaking.small)
        #expect(again.recovery.isClean)
        #expect(try again.values() == numbered(acknowledged))
    }

    @Test func aLogWhoseIndexCannotBeWrittenIsClosedAllTheSame() throws {
        let faults = FaultyFileSystem()
        do {
            var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
            for number in 0..<4 { _ = try log.append(number: number) }
            faults.setRule { $0.kind == .write ? .fail(ENOSPC) : .proceed }
            expectFailure { try log.close() }
            #expect(log.syncedOffset == 4)
            expectFailure { _ = try log.append(number: 4) }
        }
        let log = try Log(directory: path, configuration: LogMaking.small)
        #expect(try log.values() == numbered(0..<4))
        #expect(log.recovery.isClean)
    }

    @Test func aFailedSyncFencesTheLogUntilItIsOpenedAgain() throws {
        let faults = FaultyFileSystem()
        do {
            var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
            _ = try log.append(number: 0)
            try log.syncPoint().perform()
            _ = try log.append(number: 1)
            let earlier = log.syncPoint()
            let later = log.syncPoint()
            faults.setRule { $0.kind == .sync ? .fail(EIO) : .proceed }
            expectFailure { try earlier.perform() }
            // The disk seems well again, but what it has lost does not come back.
            faults.setRule { _ in .proceed }
            do {
                try later.perform()
                Issue.record("no error")
            } catch {
                guard case .fenced(directory: path, _) = error else { throw error }
                #expect(error.description.contains("restart"))
            }
            expectFailure { _ = try log.append(number: 2) }
            expectFailure { try log.syncPoint().perform() }
            expectFailure { try log.roll() }
            expectFailure { try log.close() }
            #expect(log.syncedOffset == 1)
            // Reading goes on.
            #expect(try log.values() == numbered(0..<2))
        }
        var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
        #expect(try log.append(number: 2) == 2)
        try log.close()
    }
}

/// Records an issue unless `operation` fails as a log does.
private func expectFailure(_ operation: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) {
    do {
        try operation()
        Issue.record("no error", sourceLocation: sourceLocation)
    } catch {
        #expect(error is LogError, sourceLocation: sourceLocation)
    }
}

/// True the first time only.
private final class Flag: Sendable {
    private let isRaised = Atomic(false)

    func raise() -> Bool {
        !isRaised.exchange(true, ordering: .relaxed)
    }
}
