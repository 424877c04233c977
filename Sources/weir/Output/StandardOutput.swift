import Glibc
import NIOCore
import NIOPosix

/// Standard output for a stream of results: a reader that is slow holds the writer back without blocking a task's
/// thread, and one that is gone ends it.
enum StandardOutput {
    /// Nobody reads any more.
    struct Closed: Error {}

    /// Writes all of it.
    ///
    /// - Throws: ``Closed``, `CancellationError` while the reader does not read, ``CommandError`` for a full disk and
    ///   the like.
    static func write(_ bytes: ByteBuffer) async throws {
        var rest = bytes
        while rest.readableBytes > 0 {
            let slice = rest
            let written = try await NIOThreadPool.singleton.runIfActive { try writeSome(slice) }
            rest.moveReaderIndex(forwardBy: written)
            if written == 0 { try Task.checkCancellation() }
        }
    }

    /// Returns when nobody reads any more.
    ///
    /// - Throws: `CancellationError`.
    static func waitUntilClosed() async throws {
        while true {
            var entry = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
            if poll(&entry, 1, 0) > 0, Int32(entry.revents) & POLLERR != 0 { return }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// What can be written without waiting long; at a time no more than a pipe takes without blocking.
    private static func writeSome(_ bytes: ByteBuffer) throws -> Int {
        try bytes.withUnsafeReadableBytes { bytes in
            var written = 0
            while written < bytes.count {
                var entry = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                guard poll(&entry, 1, 100) > 0 else { break }
                let count = min(bytes.count - written, Int(PIPE_BUF))
                let result = Glibc.write(STDOUT_FILENO, bytes.baseAddress.map { $0 + written }, count)
                if result >= 0 {
                    written += result
                } else if errno == EPIPE {
                    throw Closed()
                } else if errno != EINTR, errno != EAGAIN {
                    throw CommandError("cannot write standard output: \(String(cString: strerror(errno)))")
                }
            }
            return written
        }
    }
}
