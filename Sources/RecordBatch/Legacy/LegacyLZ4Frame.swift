internal import NIOCore

// The beginning of an LZ4 frame (lz4_Frame_format.md). Integers are little-endian.
//
//      0                4        5        6                     14            6, 10, 14 or 18
//      +----------------+--------+--------+---------------------+-------------+----------+--------
//      | 04 22 4D 18    | flags  | block  | content size, UInt64| dictionary  | checksum | blocks …
//      |                |        | sizes  | if flags bit 3      | if bit 0    | 1 byte   |
//      +----------------+--------+--------+---------------------+-------------+----------+--------
//
//     The checksum is the second byte of the XXH32 of everything from the flags up to itself. Kafka's first clients
//     began with the magic number instead (KAFKA-3160). Messages of format 0 have it so, and format 1 put it right.

/// Repairs the LZ4 frames inside messages of format 0 for a decoder that knows the standard. No state.
enum LegacyLZ4Frame {
    private static let magic: UInt32 = 0x184D_2204
    private static let flagsIndex = 4

    /// The frame with the header checksum that the standard asks for; nil if it has it already, or is no frame at all.
    ///
    /// What the checksum would protect is protected by the message's CRC, so the wrong one is not looked at.
    static func withRightHeaderChecksum(_ frame: UnsafeRawBufferPointer) -> ByteBuffer? {
        guard frame.count > flagsIndex, frame.loadUnaligned(as: UInt32.self).littleEndian == magic else { return nil }
        let flags = frame[flagsIndex]
        let checksumIndex = flagsIndex + 2 + (flags & 0b1000 != 0 ? 8 : 0) + (flags & 0b1 != 0 ? 4 : 0)
        guard frame.count > checksumIndex else { return nil }
        let hash = shortHash(UnsafeRawBufferPointer(rebasing: frame[flagsIndex..<checksumIndex]))
        let checksum = UInt8(truncatingIfNeeded: hash >> 8)
        guard frame[checksumIndex] != checksum else { return nil }
        var repaired = ByteBuffer(bytes: frame)
        repaired.setInteger(checksum, at: checksumIndex)
        return repaired
    }

    /// XXH32 with seed 0 (xxhash_spec.md) of fewer than 16 bytes, which are not enough for its four lanes.
    static func shortHash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        precondition(bytes.count < 16)
        var hash = 0x1656_67B1 &+ UInt32(bytes.count)
        var position = 0
        while bytes.count - position >= 4 {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self).littleEndian
            hash = rotated(hash &+ word &* 0xC2B2_AE3D, by: 17) &* 0x27D4_EB2F
            position += 4
        }
        while position < bytes.count {
            hash = rotated(hash &+ UInt32(bytes[position]) &* 0x1656_67B1, by: 11) &* 0x9E37_79B1
            position += 1
        }
        hash = (hash ^ hash >> 15) &* 0x85EB_CA77
        hash = (hash ^ hash >> 13) &* 0xC2B2_AE3D
        return hash ^ hash >> 16
    }

    private static func rotated(_ value: UInt32, by bits: UInt32) -> UInt32 {
        value << bits | value >> (32 - bits)
    }
}
