import CommitLog
import Glibc
import Synchronization

/// The real file system, whose syncs a test can hold up, fail and count.
final class FaultyFileSystem: FileSystem {
    private struct State {
        var syncs = 0
        var isHeld = false
        var failure: SystemError?
        var writeFailure: SystemError?
        var isCold = false
        var waitingReads = 0
        var space: FileSystemSpace?
    }

    private let real = POSIXFileSystem()
    private let state = Mutex(State())

    /// Syncs of files that have begun.
    var syncs: Int { self.state.withLock { $0.syncs } }

    /// Syncs wait until `heal()`.
    func holdSyncs() { self.state.withLock { $0.isHeld = true } }
    func failSyncs(_ code: Int32) { self.state.withLock { $0.failure = SystemError(code: code) } }
    func failWrites(_ code: Int32) { self.state.withLock { $0.writeFailure = SystemError(code: code) } }
    /// From now on nothing is in memory: whatever is read has to wait for the disk.
    func dropCache() { self.state.withLock { $0.isCold = true } }
    /// Reads that may have waited for the disk.
    var waitingReads: Int { self.state.withLock { $0.waitingReads } }
    /// What the file system is said to have room for; nil for the truth.
    func pretend(_ space: FileSystemSpace?) { self.state.withLock { $0.space = space } }
    func heal() {
        self.state.withLock {
            $0.isHeld = false
            $0.failure = nil
            $0.writeFailure = nil
        }
    }

    func sync(_ descriptor: Int32) throws(SystemError) {
        self.state.withLock { $0.syncs += 1 }
        while self.state.withLock({ $0.isHeld }) { usleep(1_000) }
        if let failure = self.state.withLock({ $0.failure }) { throw failure }
        try self.real.sync(descriptor)
    }

    func space(at path: String) throws(SystemError) -> FileSystemSpace {
        if let space = self.state.withLock({ $0.space }) { return space }
        return try self.real.space(at: path)
    }

    func write(
        _ descriptor: Int32, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        if let failure = self.state.withLock({ $0.writeFailure }) { throw failure }
        return try self.real.write(descriptor, head, body, at: position)
    }

    func open(_ path: String, _ access: FileAccess) throws(SystemError) -> Int32 { try self.real.open(path, access) }
    func close(_ descriptor: Int32) { self.real.close(descriptor) }
    func size(_ descriptor: Int32) throws(SystemError) -> Int { try self.real.size(descriptor) }
    func read(_ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int) throws(SystemError)
        -> Int
    {
        self.state.withLock { $0.waitingReads += 1 }
        return try self.real.read(descriptor, into: room, at: position)
    }
    func readCached(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        guard !self.state.withLock({ $0.isCold }) else { throw .wouldWait }
        return try self.real.read(descriptor, into: room, at: position)
    }
    func truncate(_ descriptor: Int32, to size: Int) throws(SystemError) {
        try self.real.truncate(descriptor, to: size)
    }
    func syncDirectory(_ path: String) throws(SystemError) { try self.real.syncDirectory(path) }
    func createDirectory(_ path: String) throws(SystemError) { try self.real.createDirectory(path) }
    func rename(_ path: String, to newPath: String) throws(SystemError) { try self.real.rename(path, to: newPath) }
    func remove(_ path: String) throws(SystemError) { try self.real.remove(path) }
    func names(in directory: String) throws(SystemError) -> [String] { try self.real.names(in: directory) }
}
