/// Writes numbers of any width up to 64 bits, most significant bit first, one after the other.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    /// Bits that do not fill a byte yet, in the lowest places.
    private var pending: UInt64 = 0
    private var pendingCount = 0

    /// Writes the lowest `width` bits of a number; the others have to be zero.
    mutating func write(_ value: UInt64, width: Int) {
        if width > 32 {
            write(value >> 32, width: width - 32)
            write(value & 0xffff_ffff, width: 32)
            return
        }
        // At most 7 bits wait, so 39 are in use at most.
        pending = pending << UInt64(width) | value
        pendingCount += width
        while pendingCount >= 8 {
            pendingCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> UInt64(pendingCount)))
        }
    }

    /// Fills the last byte with zeros, so that what follows begins at a byte.
    mutating func alignToByte() {
        if pendingCount > 0 { write(0, width: 8 - pendingCount) }
    }

    /// Unsigned LEB128: seven bits a byte, lowest first. Begins at a byte.
    mutating func writeVarint(_ value: UInt64) {
        alignToByte()
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
