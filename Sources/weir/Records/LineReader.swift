import Glibc
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Cuts what a file, pipe or terminal gives into lines, reading no further ahead than one chunk. A value of one task;
/// it reads on a thread where waiting is allowed, and stops at a graceful shutdown.
struct LineReader {
    static let maximumLineBytes = 16 << 20
    private static let chunkBytes = 64 << 10

    private enum Chunk: Sendable {
        case bytes(ByteBuffer)
        case nothingYet
        case end
    }

    /// The number of the line that was read last, from 1.
    private(set) var lineNumber = 0
    private let descriptor: Int32
    private let name: String
    private var buffer = ByteBuffer()
    private var isAtEnd = false

    /// - Parameter path: nil for standard input.
    init(path: String?) throws {
        guard let path else {
            descriptor = STDIN_FILENO
            name = "standard input"
            return
        }
        name = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    func close() {
        if descriptor != STDIN_FILENO { _ = Glibc.close(descriptor) }
    }

    /// The next line without its line feed; nil at the end, or when the program is to stop. The last line need not
    /// end in a line feed.
    mutating func next() async throws -> ByteBuffer? {
        while true {
            if let length = lengthToLineFeed {
                lineNumber += 1
                let line = buffer.readSlice(length: length)
                buffer.moveReaderIndex(forwardBy: 1)
                return line
            }
            if isAtEnd {
                guard buffer.readableBytes > 0 else { return nil }
                lineNumber += 1
                return buffer.readSlice(length: buffer.readableBytes)
            }
            guard buffer.readableBytes <= Self.maximumLineBytes else {
                throw CommandError(
                    "line \(lineNumber + 1) of \(name) is longer than \(Self.maximumLineBytes >> 20) MiB")
            }
            if Task.isShuttingDownGracefully || Task.isCancelled { return nil }
            try await fill()
        }
    }

    private var lengthToLineFeed: Int? {
        buffer.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress, let feed = memchr(base, 0x0A, bytes.count) else { return nil }
            return UnsafeRawPointer(feed) - base
        }
    }

    /// Lines that were handed out share the old buffer's memory, so what is left of it moves to a new one.
    private mutating func fill() async throws {
        let (descriptor, name) = (descriptor, name)
        let count = max(Self.chunkBytes, buffer.readableBytes)
        let chunk = try await NIOThreadPool.singleton.runIfActive {
            try Self.read(descriptor, upTo: count, name)
        }
        switch chunk {
        case .nothingYet: return
        case .end: isAtEnd = true
        case .bytes(var bytes):
            if buffer.readableBytes > 0 {
                var joined = ByteBufferAllocator().buffer(capacity: buffer.readableBytes + bytes.readableBytes)
                joined.writeBuffer(&buffer)
                joined.writeBuffer(&bytes)
                bytes = joined
            }
            buffer = bytes
        }
    }

    /// Waits briefly only, so that a shutdown is noticed.
    private static func read(_ descriptor: Int32, upTo count: Int, _ name: String) throws -> Chunk {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 100) > 0 else { return .nothingYet }
        var bytes = ByteBufferAllocator().buffer(capacity: count)
        var result = 0
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            result = Glibc.read(descriptor, space.baseAddress, count)
            return max(0, result)
        }
        if result > 0 { return .bytes(bytes) }
        if result == 0 { return .end }
        if errno == EINTR || errno == EAGAIN { return .nothingYet }
        throw failure(name)
    }

    private static func failure(_ name: String) -> CommandError {
        CommandError("cannot read \(name): \(String(cString: strerror(errno)))")
    }
}
