public import NIOCore

/// The hash by which Kafka's Java client spreads keys over partitions: MurmurHash2, 32 bits, seed 0x9747b28c.
///
/// Source: `org.apache.kafka.common.utils.Utils.murmur2`; Austin Appleby's MurmurHash2 on little-endian words.
public enum Murmur2 {
    private static let seed: UInt32 = 0x9747_b28c
    private static let multiplier: UInt32 = 0x5bd1_e995

    /// The hash of the readable bytes.
    public static func hash(_ bytes: ByteBuffer) -> UInt32 {
        bytes.withUnsafeReadableBytes { hash($0) }
    }

    /// The hash of the bytes.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var hash = seed ^ UInt32(truncatingIfNeeded: bytes.count)
        let wholeWords = bytes.count & ~3
        var position = 0
        while position < wholeWords {
            var word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
            word = word &* multiplier
            word ^= word >> 24
            word = word &* multiplier
            hash = hash &* multiplier
            hash ^= word
            position += 4
        }
        if position < bytes.count {
            for index in (position..<bytes.count).reversed() {
                hash ^= UInt32(bytes[index]) << UInt32(8 * (index - position))
            }
            hash = hash &* multiplier
        }
        hash ^= hash >> 13
        hash = hash &* multiplier
        hash ^= hash >> 15
        return hash
    }

    /// The partition of a key in a topic of `partitionCount` (at least 1) partitions, as Java's default partitioner
    /// has it.
    public static func partition(of key: ByteBuffer, count partitionCount: Int) -> Int {
        Int(hash(key) & 0x7fff_ffff) % partitionCount
    }
}
