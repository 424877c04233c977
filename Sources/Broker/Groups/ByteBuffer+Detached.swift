import NIOCore

extension ByteBuffer {
    /// The readable bytes in memory of their own. What a group keeps for long must not keep the whole network read
    /// alive that it came with.
    var detached: ByteBuffer { ByteBuffer(bytes: self.readableBytesView) }
}
