import NIOCore

/// Makes the buffers that a connection's socket is read into: larger while its peer sends much, smaller when it sends
/// little. A value of the connection's channel, on its event loop.
///
/// NIO would keep each buffer for the next read. Here a buffer lives only until its bytes have been used, so that a
/// connection that has become idle holds none, however much it has sent: there may be thousands of them.
struct ReceiveBuffers: RecvByteBufferAllocator {
    /// Large enough that a batch of 1 MB takes few system calls, small enough to stay in the processor's cache until its
    /// bytes are used.
    private static let largest = 256 << 10

    private var sizing = AdaptiveRecvByteBufferAllocator(minimum: 1 << 10, initial: 2 << 10, maximum: largest)

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        self.sizing.buffer(allocator: allocator)
    }

    /// Without a size NIO reuses a buffer only after a read that `record` says was no reason for another size.
    func nextBufferSize() -> Int? { nil }

    mutating func record(actualReadBytes: Int) -> Bool {
        _ = self.sizing.record(actualReadBytes: actualReadBytes)
        return true
    }
}
