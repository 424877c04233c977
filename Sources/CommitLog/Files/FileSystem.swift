/// What a log needs from a file system. Injected, so that a test can fail any operation; `POSIXFileSystem` otherwise.
/// Called on whichever thread the log's owner uses, several at once.
public protocol FileSystem: Sendable {
    /// - Returns: a descriptor for the other operations.
    func open(_ path: String, _ access: FileAccess) throws(SystemError) -> Int32
    func close(_ descriptor: Int32)
    func size(_ descriptor: Int32) throws(SystemError) -> Int
    /// When the file was written to last, in milliseconds since the epoch.
    func modified(_ descriptor: Int32) throws(SystemError) -> Int64
    /// Reads at most `room.count` bytes at `position`; 0 at the end of the file.
    func read(_ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int) throws(SystemError)
        -> Int
    /// Like `read`, but never waits for the disk: reads as far as the bytes are in memory, and throws
    /// `SystemError.wouldWait` if the first one is not. A file system that does not know this just reads.
    func readCached(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int
    /// Writes `head` and then `body` at `position` in one call; may write less than everything.
    ///
    /// - Returns: the number of bytes written.
    func write(
        _ descriptor: Int32, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int
    func truncate(_ descriptor: Int32, to size: Int) throws(SystemError)
    /// Puts the file's data on disk (`fdatasync`).
    func sync(_ descriptor: Int32) throws(SystemError)
    /// Puts the directory's entries on disk.
    func syncDirectory(_ path: String) throws(SystemError)
    /// Creates one directory; an existing one is fine.
    func createDirectory(_ path: String) throws(SystemError)
    func rename(_ path: String, to newPath: String) throws(SystemError)
    func remove(_ path: String) throws(SystemError)
    /// The names of a directory's entries, in no order.
    func names(in directory: String) throws(SystemError) -> [String]
    /// How much room there is on the file system that holds `path`.
    func space(at path: String) throws(SystemError) -> FileSystemSpace
}

/// The room on a file system.
public struct FileSystemSpace: Hashable, Sendable {
    /// Bytes in all.
    public var total: Int
    /// Bytes that this user may still write.
    public var usable: Int

    public init(total: Int, usable: Int) {
        self.total = total
        self.usable = usable
    }
}

extension FileSystem {
    public func readCached(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        try read(descriptor, into: room, at: position)
    }

    public func modified(_ descriptor: Int32) throws(SystemError) -> Int64 {
        try POSIXFileSystem().modified(descriptor)
    }

    public func space(at path: String) throws(SystemError) -> FileSystemSpace {
        try POSIXFileSystem().space(at: path)
    }
}

/// How a file is opened.
public enum FileAccess: Sendable {
    /// For reading; the file must exist.
    case read
    /// For reading and writing; made when missing.
    case readWrite
    /// For reading and writing, emptied; made when missing.
    case replace
}

/// A failed system call's `errno`.
public struct SystemError: Error, Hashable, Sendable {
    public let code: Int32

    public init(code: Int32) {
        self.code = code
    }
}
