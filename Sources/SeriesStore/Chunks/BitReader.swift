/// Reads what a `BitWriter` wrote, from bytes that may be damaged: past the end it throws.
struct BitReader {
    private let bytes: UnsafeRawBufferPointer
    /// Bits that have been read.
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Reads a number of up to 64 bits.
    mutating func read(width: Int) throws(ChunkDamage) -> UInt64 {
        guard width <= bytes.count * 8 - position else { throw .truncated }
        if width == 0 { return 0 }
        let (first, offset) = (position >> 3, position & 7)
        position += width
        // Nearly always: all of it is in the next eight bytes.
        if first + 8 <= bytes.count, offset + width <= 64 {
            let word = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: first, as: UInt64.self))
            return (word << UInt64(offset)) >> UInt64(64 - width)
        }
        var value: UInt64 = 0
        var (byte, skipped, missing) = (first, offset, width)
        while missing > 0 {
            let count = min(8 - skipped, missing)
            let taken = UInt64(bytes[byte]) >> UInt64(8 - skipped - count) & ((1 << UInt64(count)) - 1)
            value = value << UInt64(count) | taken
            missing -= count
            (byte, skipped) = (byte + 1, 0)
        }
        return value
    }

    /// Passes over the rest of a byte that was begun.
    mutating func alignToByte() {
        position = (position + 7) & ~7
    }

    mutating func readVarint() throws(ChunkDamage) -> UInt64 {
        alignToByte()
        var byte = position >> 3
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard byte < bytes.count, shift < 64 else { throw .truncated }
            let bits = bytes[byte]
            byte += 1
            value |= UInt64(bits & 0x7f) << shift
            if bits & 0x80 == 0 { break }
            shift += 7
        }
        position = byte << 3
        return value
    }
}

/// Why the bytes of a chunk cannot be what was written.
enum ChunkDamage: Error, Hashable {
    case truncated
    case unknownEncoding(UInt8)
    case unlikelyCount(UInt64)
    case invalidWidth(UInt64)
}

extension ChunkDamage: CustomStringConvertible {
    var description: String {
        switch self {
        case .truncated: "a chunk ends too early"
        case .unknownEncoding(let encoding): "a chunk has the unknown encoding \(encoding)"
        case .unlikelyCount(let count): "a chunk claims to hold \(count) samples"
        case .invalidWidth(let width): "a chunk has numbers of \(width) bits"
        }
    }
}
