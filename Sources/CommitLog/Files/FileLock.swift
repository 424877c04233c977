internal import Glibc

/// Keeps a directory to one process: an exclusive `flock` on the file `.lock` in it, which also tells the holder's
/// process id. The lock goes when the value does, or the process, however it ends.
public final class FileLock: Sendable {
    /// The lock file's name within the directory.
    public static let name = ".lock"

    public let path: String
    private let descriptor: Int32

    /// Takes the lock of `directory`, which is made when missing.
    ///
    /// - Throws: `LogError.locked` at once when somebody holds it.
    public init(directory: String) throws(LogError) {
        let path = try Directory.make(directory, in: POSIXFileSystem()).path(of: Self.name)
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .file(.open, path: path, SystemError(code: errno)) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EINTR { continue }
            let holder = Self.readProcessID(descriptor)
            Glibc.close(descriptor)
            if code == EWOULDBLOCK { throw .locked(path: path, holder: holder) }
            throw .file(.lock, path: path, SystemError(code: code))
        }
        // Only for people and error messages; the lock holds without it.
        let text = "\(getpid())\n"
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.utf8.count, 0) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // Closing alone would leave the lock with a child that was forked and has not started its program yet.
        _ = flock(descriptor, LOCK_UN)
        Glibc.close(descriptor)
    }

    private static func readProcessID(_ descriptor: Int32) -> Int32? {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { room in
            let count = pread(descriptor, room.baseAddress, room.count, 0)
            guard count > 0 else { return nil }
            return Int32(String(decoding: room.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        }
    }
}
