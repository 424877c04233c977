internal import Glibc

/// The right to write to one database, held by at most one process: an flock on `FILE.lock`, which the kernel
/// gives back when the process ends, however it ends. The file stays, holding the last owner's process id.
///
/// The lock is on a file of its own because SQLite's own locks on the database are POSIX locks, which a process
/// loses when it closes any descriptor of that file. Owned by the `SeriesWriter`; it ends with the last reference.
final class WriterLock: Sendable {
    private let descriptor: CInt

    init(databasePath: String) throws(StoreError) {
        let path = databasePath + ".lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let code = errno
            if code == EACCES || code == EROFS || code == EPERM { throw .readOnly(path: databasePath) }
            throw .cannotOpen(path: databasePath, reason: String(cString: strerror(code)))
        }
        var result = flock(descriptor, LOCK_EX | LOCK_NB)
        while result != 0, errno == EINTR { result = flock(descriptor, LOCK_EX | LOCK_NB) }
        guard result == 0 else {
            let owner = Self.owner(in: descriptor)
            close(descriptor)
            throw .inUse(path: databasePath, processID: owner)
        }
        self.descriptor = descriptor
        // Only a courtesy to the next one who is refused, so a failure to write it does not matter.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    }

    deinit {
        // Closing alone would leave the lock with a child that was forked and has not started its program yet.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func owner(in descriptor: CInt) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self))
    }
}
