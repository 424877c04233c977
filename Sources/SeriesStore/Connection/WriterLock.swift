internal import GRDBSQLite

/// The right to write to one database, which the processes of one consumer group share: an flock on `FILE.lock`, which
/// the kernel gives back when the process ends, however it ends. The file stays, holding the process id of the last one
/// that came.
///
/// Who comes while nobody else is there has the lock for itself for a moment, and makes the database ready: brings the
/// schema up to date, applies the retention policy. Everybody else finds it ready.
///
/// The lock is on a file of its own because SQLite's own locks on the database are POSIX locks, which a process
/// loses when it closes any descriptor of that file. Owned by the `SeriesWriter`; it ends with the last reference.
final class WriterLock: Sendable {
    private let file: FileLock

    /// Takes the lock, and waits a moment for others that are about to make the database ready.
    ///
    /// - Parameters:
    ///   - prepare: makes the database ready; nobody else writes to it meanwhile.
    ///   - isReady: whether the database is ready, seen while others may be writing to it.
    /// - Throws: `StoreError.inUse` when a process holds the database for itself, as those do that know an earlier
    ///   schema; what the closures throw.
    init(
        databasePath: String, patience: Duration, prepare: () throws(StoreError) -> Void,
        isReady: () throws(StoreError) -> Bool
    ) throws(StoreError) {
        file = try FileLock(path: databasePath + ".lock", of: databasePath)
        let deadline = ContinuousClock.now + patience
        while true {
            if file.lock(.exclusive) {
                file.writeOwner()
                try prepare()
                // From here to there another one may come and have the lock for itself.
                if file.lock(.shared) { return }
            } else if file.lock(.shared) {
                if try isReady() {
                    file.writeOwner()
                    return
                }
                file.unlock()
            }
            guard .now < deadline else { throw .inUse(path: databasePath, processID: file.owner) }
            sqlite3_sleep(20)
        }
    }

    /// The process that came last.
    var owner: Int32? { file.owner }
}
