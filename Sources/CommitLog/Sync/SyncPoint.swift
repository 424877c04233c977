internal import NIOCore
public import RecordBatch
internal import Synchronization

/// What of a log is on disk, shared by the log and the syncs under way. Safe on any thread.
final class SyncProgress: Sendable {
    private let synced: Atomic<Int64>
    private let isFenced = Atomic(false)
    /// Whether damage was found, so that no recovery point may say that all is well.
    let isDistrusted = Atomic(false)
    private let turn = Mutex(Turn())
    private let fence = Mutex<LogError?>(nil)

    private struct Turn {
        var directoryVersion = 0
        var cleanPoint: RecoveryPoint?
    }

    /// - Parameter cleanPoint: the one that is on disk.
    init(syncedOffset: Offset, cleanPoint: RecoveryPoint?) {
        synced = Atomic(syncedOffset.rawValue)
        turn.withLock { $0.cleanPoint = cleanPoint }
    }

    /// Writes down a point before which everything is known to be on disk.
    func write(_ cleanPoint: CleanPoint, in directory: Directory) throws(LogError) {
        try turn.withLock { (turn) throws(LogError) in
            try cleanPoint.write(in: directory, after: turn.cleanPoint)
            turn.cleanPoint = cleanPoint.recoveryPoint
        }
    }

    var syncedOffset: Offset { Offset(synced.load(ordering: .acquiring)) }

    /// Throws what fenced the log, if it is fenced.
    func check() throws(LogError) {
        guard isFenced.load(ordering: .acquiring), let error = fence.withLock({ $0 }) else { return }
        throw error
    }

    func close(with error: LogError) {
        fence.withLock { if $0 == nil { $0 = error } }
        isFenced.store(true, ordering: .releasing)
    }

    /// Syncs one at a time: the system reports a failed write-back to one sync only, so a second one running beside it
    /// would wrongly succeed.
    func perform(_ point: SyncPoint) throws(LogError) {
        try turn.withLock { (turn) throws(LogError) in
            let directoryChanged = point.directoryVersion > turn.directoryVersion
            guard point.endOffset > syncedOffset || directoryChanged else { return }
            try check()
            do throws(LogError) {
                for file in point.files { try file.sync() }
                if directoryChanged { try point.directory.sync() }
                // The log's own directory may be new, too.
                if directoryChanged, turn.directoryVersion == 0 { try point.directory.syncParent() }
            } catch {
                close(with: .fenced(directory: point.directory.path, reason: error.description))
                throw error
            }
            turn.directoryVersion = max(turn.directoryVersion, point.directoryVersion)
            synced.max(point.endOffset.rawValue, ordering: .releasing)
            // Only makes the next start faster, so its failure is none of the caller's concern.
            if let cleanPoint = point.cleanPoint, !isDistrusted.load(ordering: .acquiring) {
                try? cleanPoint.write(in: point.directory, after: turn.cleanPoint)
                turn.cleanPoint = cleanPoint.recoveryPoint
            }
        }
    }
}

/// The end of a log at one moment, and the files to sync so that everything before it is on disk. Taken under the
/// owner's lock; performed outside it, on a thread that may block.
public struct SyncPoint: Sendable {
    /// Everything before this offset is on disk once `perform` returns.
    public let endOffset: Offset
    let files: [File]
    let directory: Directory
    /// Counts the changes of the directory's entries.
    let directoryVersion: Int
    /// To be written down after the sync, now and then.
    let cleanPoint: CleanPoint?
    let progress: SyncProgress

    /// Puts everything before `endOffset` on disk, if it is not there already. After a failure the log is fenced: pages
    /// may be lost, and a later sync that succeeds would say nothing about them.
    public func perform() throws(LogError) {
        try progress.perform(self)
    }
}
