public import CommitLog
import Glibc
import Synchronization

/// The operating system's file system with failures: a test's rule decides about every operation that changes something
/// on disk. Counts the operations, so that a test can fail each of them in turn. Syncs are judged and counted but not
/// passed on: nothing here takes the power away, and real ones take most of a test's time. Safe on any thread.
public final class FaultyFileSystem: FileSystem {
    /// An operation that changes files, or makes sure of a change.
    public enum Kind: Hashable, Sendable {
        case create
        case write
        case truncate
        case sync
        case syncDirectory
        case createDirectory
        case rename
        case remove
    }

    public struct Operation: Hashable, Sendable {
        public let kind: Kind
        public let path: String
        /// Counts all operations, from 1.
        public let number: Int
        /// Bytes to be written.
        public let byteCount: Int
    }

    public enum Verdict: Sendable {
        case proceed
        /// Nothing happens but an error with this `errno`.
        case fail(Int32)
        /// Only so many bytes are written, without an error, as on a disk that fills up; for writes.
        case writeOnly(Int)
    }

    private struct State {
        var rule: @Sendable (Operation) -> Verdict = { _ in .proceed }
        var operations: [Operation] = []
        var paths: [Int32: String] = [:]
        var cachesReads = true
        var bytesRead = 0
    }

    private let posix = POSIXFileSystem()
    private let state = Mutex(State())

    public init() {}

    /// Replaces the rule.
    public func setRule(_ rule: @escaping @Sendable (Operation) -> Verdict) {
        state.withLock { $0.rule = rule }
    }

    /// Fails the operation with this number, counted from the beginning, and no other; with `EIO` if nothing else is said.
    public func failOperation(_ number: Int, code: Int32? = nil) {
        let code = code ?? EIO
        setRule { $0.number == number ? .fail(code) : .proceed }
    }

    /// Whether what is read is in memory; otherwise every read has to wait for the disk. True to begin with.
    public func setCachesReads(_ caches: Bool) {
        state.withLock { $0.cachesReads = caches }
    }

    /// How many bytes have been read.
    public var bytesRead: Int { state.withLock { $0.bytesRead } }

    /// All operations so far.
    public var operations: [Operation] { state.withLock { $0.operations } }

    public var operationCount: Int { state.withLock { $0.operations.count } }

    /// How many operations of this kind there were.
    public func count(_ kind: Kind) -> Int {
        state.withLock { $0.operations.count { $0.kind == kind } }
    }

    private func judge(_ kind: Kind, _ path: String, byteCount: Int = 0) -> Verdict {
        let (rule, operation) = state.withLock { state in
            let operation = Operation(
                kind: kind, path: path, number: state.operations.count + 1, byteCount: byteCount)
            state.operations.append(operation)
            return (state.rule, operation)
        }
        return rule(operation)
    }

    private func permit(_ kind: Kind, _ path: String) throws(SystemError) {
        if case .fail(let code) = judge(kind, path) { throw SystemError(code: code) }
    }

    private func permit(_ kind: Kind, _ descriptor: Int32) throws(SystemError) {
        try permit(kind, path(of: descriptor))
    }

    private func path(of descriptor: Int32) -> String {
        state.withLock { $0.paths[descriptor] } ?? "?"
    }

    // MARK: FileSystem

    public func open(_ path: String, _ access: FileAccess) throws(SystemError) -> Int32 {
        if access != .read { try permit(.create, path) }
        let descriptor = try posix.open(path, access)
        state.withLock { $0.paths[descriptor] = path }
        return descriptor
    }

    public func close(_ descriptor: Int32) {
        state.withLock { $0.paths[descriptor] = nil }
        posix.close(descriptor)
    }

    public func size(_ descriptor: Int32) throws(SystemError) -> Int {
        try posix.size(descriptor)
    }

    public func read(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        let count = try posix.read(descriptor, into: room, at: position)
        state.withLock { $0.bytesRead += count }
        return count
    }

    public func readCached(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        guard state.withLock({ $0.cachesReads }) else { throw .wouldWait }
        return try read(descriptor, into: room, at: position)
    }

    public func write(
        _ descriptor: Int32, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        switch judge(.write, path(of: descriptor), byteCount: head.count + body.count) {
        case .proceed:
            return try posix.write(descriptor, head, body, at: position)
        case .fail(let code):
            throw SystemError(code: code)
        case .writeOnly(let count):
            let headPart = UnsafeRawBufferPointer(rebasing: head.prefix(count))
            let bodyPart = UnsafeRawBufferPointer(rebasing: body.prefix(max(0, count - head.count)))
            return try posix.write(descriptor, headPart, bodyPart, at: position)
        }
    }

    public func truncate(_ descriptor: Int32, to size: Int) throws(SystemError) {
        try permit(.truncate, descriptor)
        try posix.truncate(descriptor, to: size)
    }

    public func sync(_ descriptor: Int32) throws(SystemError) {
        try permit(.sync, descriptor)
    }

    public func syncDirectory(_ path: String) throws(SystemError) {
        try permit(.syncDirectory, path)
    }

    public func createDirectory(_ path: String) throws(SystemError) {
        try permit(.createDirectory, path)
        try posix.createDirectory(path)
    }

    public func rename(_ path: String, to newPath: String) throws(SystemError) {
        try permit(.rename, path)
        try posix.rename(path, to: newPath)
    }

    public func remove(_ path: String) throws(SystemError) {
        try permit(.remove, path)
        try posix.remove(path)
    }

    public func names(in directory: String) throws(SystemError) -> [String] {
        try posix.names(in: directory)
    }
}
