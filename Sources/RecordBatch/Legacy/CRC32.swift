internal import CZlib

/// CRC-32 (the one of zlib, gzip and Ethernet), the checksum of messages before record batches came. Batches have
/// `CRC32C`.
enum CRC32 {
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return UInt32(truncatingIfNeeded: crc32_z(0, start, bytes.count))
    }
}
