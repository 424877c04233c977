import CommitLog
import Glibc
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

@Suite struct SyncTests {
    let directory: TemporaryDirectory
    let path: String
    let faults = FaultyFileSystem()

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
    }

    private func syncs() -> Int { faults.count(.sync) }

    @Test func whatIsOnDiskIsNotSyncedAgain() throws {
        var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
        #expect(log.syncedOffset == 0)
        _ = try log.append(number: 0)
        _ = try log.append(number: 1)
        let point = log.syncPoint()
        _ = try log.append(number: 2)
        #expect(point.endOffset == 2)
        #expect(log.syncedOffset == 0)
        try point.perform()
        #expect(log.syncedOffset == 2)
        // The segment, and the checkpoint of leader epochs, which is new.
        #expect(syncs() == 2)
        // The new log's entry, and its files' entries.
        #expect(faults.count(.syncDirectory) == 2)
        try point.perform()
        #expect(syncs() == 2)
        try log.syncPoint().perform()
        #expect(log.syncedOffset == 3)
        #expect(syncs() == 3)
        try log.syncPoint().perform()
        #expect(syncs() == 3)
        #expect(faults.count(.syncDirectory) == 2)
    }

    @Test func aSyncCoversTheSegmentsSealedSinceTheLastOne() throws {
        var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
        for number in 0..<12 { _ = try log.append(number: number) }
        #expect(syncs() == 0)
        try log.syncPoint().perform()
        #expect(log.syncedOffset == 12)
        let synced = Set(faults.operations.filter { $0.kind == .sync }.map(\.path))
        for name in ["00000000000000000000", "00000000000000000005"] {
            #expect(synced.isSuperset(of: [".log", ".index", ".timeindex"].map { "\(path)/\(name)\($0)" }))
        }
        #expect(synced.contains("\(path)/00000000000000000010.log"))
        let before = syncs()
        _ = try log.append(number: 12)
        try log.syncPoint().perform()
        #expect(syncs() == before + 1)
    }

    @Test func aLogThatNobodySyncsKeepsFewFilesOpen() throws {
        var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: faults)
        for number in 0..<100 { _ = try log.append(number: number) }
        #expect(syncs() > 0)
        #expect(log.syncedOffset > 70)
        let openFiles = try LogMaking.names(in: "/proc/self/fd").compactMap { descriptor -> String? in
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/self/fd/\(descriptor)", &target, target.count - 1)
            guard count > 0 else { return nil }
            return String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        #expect(openFiles.count { $0.hasPrefix(path) } <= 16)
    }

    @Test func appendsThatWaitTogetherShareTheirSyncs() async throws {
        let appenders = 16
        let rounds = 20
        let partition = Partition(try Log(directory: path, fileSystem: faults))
        try await withThrowingTaskGroup { group in
            for appender in 0..<appenders {
                group.addTask {
                    for round in 0..<rounds {
                        let end = try await partition.append(number: appender * rounds + round)
                        #expect(partition.syncedOffset >= end)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(partition.syncedOffset == Offset(Int64(appenders * rounds)))
        // One more is the checkpoint's of leader epochs.
        #expect(syncs() <= appenders * rounds + 1)
    }
}

/// A log with its group commit, driven as a broker's partition drives them. Safe on any thread.
private final class Partition: Sendable {
    private struct State: ~Copyable {
        var log: Log
        var commit = GroupCommit<CheckedContinuation<Void, any Error>>()
    }

    private let state: Mutex<State>

    init(_ log: consuming sending Log) {
        state = Mutex(State(log: log))
    }

    var syncedOffset: Offset { state.withLock { $0.log.syncedOffset } }

    /// Appends one batch, and returns where the log ends once that is on disk.
    func append(number: Int) async throws -> Offset {
        let batch = try LogMaking.batch(number: number)
        let end = try state.withLock { state in
            let base = try state.log.append(batch, leaderEpoch: 0)
            return base.advanced(by: 1)
        }
        try await withCheckedThrowingContinuation { continuation in
            let isWorker = state.withLock { $0.commit.wait(until: end, continuation) }
            if isWorker { sync() }
        }
        return end
    }

    private func sync() {
        var goesOn = true
        while goesOn {
            let point = state.withLock { state in
                let point = state.log.syncPoint()
                state.commit.begin(point.endOffset)
                return point
            }
            let result = Result { () throws(LogError) in try point.perform() }
            let (released, again) = state.withLock { $0.commit.finish(succeeded: (try? result.get()) != nil) }
            for continuation in released { continuation.resume(with: result.mapError { $0 as any Error }) }
            goesOn = again
        }
    }
}
