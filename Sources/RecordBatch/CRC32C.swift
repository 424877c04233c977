internal import CCRC32C
public import NIOCore

/// CRC-32C (Castagnoli), the checksum of record batches; by the processor's instructions where it has them.
public enum CRC32C {
    /// The checksum of `bytes`, going on from the checksum of what came before them.
    public static func checksum(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
        weir_crc32c(previous, bytes.baseAddress, bytes.count)
    }

    /// The checksum of the buffer's readable bytes.
    public static func checksum(_ buffer: ByteBuffer) -> UInt32 {
        buffer.withUnsafeReadableBytes { checksum($0) }
    }

    /// The same by tables only, as on processors without the instructions.
    public static func portableChecksum(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
        weir_crc32c_portable(previous, bytes.baseAddress, bytes.count)
    }

    /// Whether this processor's CRC instructions are used.
    public static var isAccelerated: Bool { weir_crc32c_is_accelerated() != 0 }
}
