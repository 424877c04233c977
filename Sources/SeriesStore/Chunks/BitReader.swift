/// Reads what a `BitWriter` wrote, from bytes that may be damaged: past the end it throws.
struct BitReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    /// Bits of the byte before `position` that are not read yet.
    private var bitsLeft = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func read(width: Int) throws(ChunkDamage) -> UInt64 {
        let available = (bytes.count - position) * 8 + bitsLeft
        guard width <= available else { throw .truncated }
        var value: UInt64 = 0
        var missing = width
        while missing > 0 {
            if bitsLeft == 0 {
                position += 1
                bitsLeft = 8
            }
            let count = min(bitsLeft, missing)
            let byte = UInt64(bytes[position - 1])
            let taken = byte >> UInt64(bitsLeft - count) & ((1 << UInt64(count)) - 1)
            value = value << UInt64(count) | taken
            bitsLeft -= count
            missing -= count
        }
        return value
    }

    /// Passes over the rest of a byte that was begun.
    mutating func alignToByte() {
        bitsLeft = 0
    }

    mutating func readVarint() throws(ChunkDamage) -> UInt64 {
        alignToByte()
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < bytes.count, shift < 64 else { throw .truncated }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
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
