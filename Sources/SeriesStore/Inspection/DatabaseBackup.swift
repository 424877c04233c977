internal import GRDB
internal import Glibc

/// Copies a database while its writer writes: one committed state, without the space that deletion left.
public enum DatabaseBackup {
    /// Copies the database at `path` into a new file. The copy appears under its name when it is whole and on the disk;
    /// until then it is `target` with `.partial` behind, which is left when the process is killed, and replaced by the
    /// next try. Blocks on the disk; nobody who reads or writes the database waits for it, but its write-ahead log
    /// grows meanwhile.
    ///
    /// - Throws: `StoreError`, which names the database or, when writing failed, the copy.
    public static func run(from path: String, to target: String) throws(StoreError) {
        guard case .version = try Schema.inspect(path: path, busyTimeout: .seconds(10)) else {
            throw .missing(path: path)
        }
        guard access(target, F_OK) != 0 else { throw .exists(path: target) }
        let partial = target + ".partial"
        unlink(partial)
        var isDone = false
        defer { if !isDone { unlink(partial) } }
        let queue = try StoreError.naming(path) {
            try DatabaseQueue(path: path, configuration: .reading(busyTimeout: .seconds(10)))
        }
        defer { try? queue.close() }
        // SQLite reports a full disk alike for both files; only the copy is written to.
        try StoreError.naming(partial) {
            try queue.unsafeRead { try $0.execute(sql: "VACUUM INTO ?", arguments: [partial]) }
        }
        try sync(partial)
        guard rename(partial, target) == 0 else {
            throw .cannotOpen(path: target, reason: String(cString: strerror(errno)))
        }
        isDone = true
        let slash = target.lastIndex(of: "/")
        try sync(slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? ".")
    }

    private static func sync(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, reason: String(cString: strerror(errno))) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw .inputOutput(path: path, detail: String(cString: strerror(errno)))
        }
    }
}
