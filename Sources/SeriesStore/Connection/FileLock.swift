internal import Glibc

/// An flock on a file that is there for nothing else. The kernel gives it back when the process ends, however it ends.
///
/// Not for two threads at once.
final class FileLock: Sendable {
    enum Kind {
        case exclusive
        case shared

        fileprivate var operation: CInt {
            switch self {
            case .exclusive: LOCK_EX
            case .shared: LOCK_SH
            }
        }
    }

    private let descriptor: CInt

    /// Opens the file, or makes it, and locks nothing yet. Errors name `databasePath`.
    init(path: String, of databasePath: String) throws(StoreError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let code = errno
            let reason = "\(path): \(String(cString: strerror(code)))"
            if code == EACCES || code == EROFS || code == EPERM { throw .readOnly(path: databasePath, detail: reason) }
            throw .cannotOpen(path: databasePath, reason: reason)
        }
    }

    /// Takes the lock, or turns the one that is held into one of another kind, if that is possible now. When it is not,
    /// nothing is held any more.
    func lock(_ kind: Kind) -> Bool {
        while flock(descriptor, kind.operation | LOCK_NB) != 0 {
            guard errno == EINTR else {
                unlock()
                return false
            }
        }
        return true
    }

    func unlock() {
        _ = flock(descriptor, LOCK_UN)
    }

    /// Tells the file from all others on this machine, as long as it is there.
    var id: String {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return "" }
        return "\(status.st_dev):\(status.st_ino)"
    }

    deinit {
        // Closing alone would leave the lock with a child that was forked and has not started its program yet.
        unlock()
        close(descriptor)
    }

    /// Writes this process's id into the file: only a courtesy to the next one who is refused, so a failure does not
    /// matter.
    func writeOwner() {
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    }

    /// The process that wrote itself down last.
    var owner: Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self))
    }
}
