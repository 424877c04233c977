internal import CCachedRead
internal import Glibc

/// The operating system's file system.
public struct POSIXFileSystem: FileSystem {
    public init() {}

    private static let filePermissions: mode_t = 0o644
    private static let directoryPermissions: mode_t = 0o755

    public func open(_ path: String, _ access: FileAccess) throws(SystemError) -> Int32 {
        let flags: Int32 =
            switch access {
            case .read: O_RDONLY
            case .readWrite: O_RDWR | O_CREAT
            case .replace: O_RDWR | O_CREAT | O_TRUNC
            }
        return try Int32(Self.retrying { Int(Glibc.open(path, flags | O_CLOEXEC, Self.filePermissions)) })
    }

    public func close(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
    }

    public func size(_ descriptor: Int32) throws(SystemError) -> Int {
        var status = stat()
        try Self.retrying { Int(fstat(descriptor, &status)) }
        return Int(status.st_size)
    }

    public func modified(_ descriptor: Int32) throws(SystemError) -> Int64 {
        var status = stat()
        try Self.retrying { Int(fstat(descriptor, &status)) }
        return Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
    }

    public func read(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        try Self.retrying { pread(descriptor, room.baseAddress, room.count, off_t(position)) }
    }

    public func readCached(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        try Self.retrying { weir_read_cached(descriptor, room.baseAddress, room.count, off_t(position)) }
    }

    public func write(
        _ descriptor: Int32, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        if head.isEmpty {
            return try Self.retrying { pwrite(descriptor, body.baseAddress, body.count, off_t(position)) }
        }
        var parts = (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: body.baseAddress), iov_len: body.count)
        )
        return try withUnsafeBytes(of: &parts) { (raw) throws(SystemError) in
            let vectors = raw.assumingMemoryBound(to: iovec.self)
            return try Self.retrying {
                pwritev(descriptor, vectors.baseAddress, Int32(vectors.count), off_t(position))
            }
        }
    }

    public func truncate(_ descriptor: Int32, to size: Int) throws(SystemError) {
        try Self.retrying { Int(ftruncate(descriptor, off_t(size))) }
    }

    public func sync(_ descriptor: Int32) throws(SystemError) {
        // Not retried when interrupted: after any failure the pages' state is unknown.
        guard fdatasync(descriptor) == 0 else { throw SystemError(code: errno) }
    }

    public func syncDirectory(_ path: String) throws(SystemError) {
        let descriptor = try Int32(Self.retrying { Int(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) })
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError(code: errno) }
    }

    public func createDirectory(_ path: String) throws(SystemError) {
        guard mkdir(path, Self.directoryPermissions) != 0 else { return }
        let code = errno
        var status = stat()
        let isDirectory = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        guard code == EEXIST, isDirectory else { throw SystemError(code: code) }
    }

    public func rename(_ path: String, to newPath: String) throws(SystemError) {
        try Self.retrying { Int(Glibc.rename(path, newPath)) }
    }

    public func remove(_ path: String) throws(SystemError) {
        try Self.retrying { Int(unlink(path)) }
    }

    public func names(in directory: String) throws(SystemError) -> [String] {
        guard let stream = opendir(directory) else { throw SystemError(code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw SystemError(code: errno) }
                return names
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    public func space(at path: String) throws(SystemError) -> FileSystemSpace {
        var status = statvfs()
        try Self.retrying { Int(statvfs(path, &status)) }
        func bytes(_ blocks: UInt) -> Int {
            Int(clamping: UInt64(blocks).multipliedFullWidth(by: UInt64(status.f_frsize)).low)
        }
        return FileSystemSpace(total: bytes(status.f_blocks), usable: bytes(status.f_bavail))
    }

    @discardableResult
    private static func retrying(_ call: () -> Int) throws(SystemError) -> Int {
        while true {
            let result = call()
            if result >= 0 { return result }
            let code = errno
            if code != EINTR { throw SystemError(code: code) }
        }
    }
}

extension SystemError: CustomStringConvertible {
    public var description: String {
        String(cString: strerror(code))
    }

    /// What a person can do about it, if that is known.
    var advice: String? {
        switch code {
        case ENOSPC, EDQUOT: "free some disk space"
        case EACCES, EPERM: "check the owner and permissions"
        case EROFS: "the file system is mounted read-only"
        case EMFILE: "raise the limit of open files (ulimit -n)"
        case ENFILE: "the system has too many open files"
        case EIO: "check the disk"
        case ENOTDIR: "a file stands where a directory is needed"
        default: nil
        }
    }

    var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

    /// Whether the file or directory does not exist.
    var isMissing: Bool { code == ENOENT }

    static let endedEarly = SystemError(code: EIO)

    /// What was to be read is not in memory, and the reader does not want to wait for the disk.
    public static let wouldWait = SystemError(code: EAGAIN)
}
