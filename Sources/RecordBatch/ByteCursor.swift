/// Reads a record's variable-length fields front to back without ever passing the end. Lives within one call that
/// keeps the memory alive.
struct ByteCursor {
    private(set) var position: UnsafeRawPointer
    let end: UnsafeRawPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; then any will do, since nothing is read from it.
        position = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
        end = position + bytes.count
    }

    var remaining: Int { end - position }

    @inline(__always)
    mutating func byte() throws(RecordDamage) -> UInt8 {
        guard position < end else { throw .endsEarly }
        let value = position.load(as: UInt8.self)
        position += 1
        return value
    }

    /// A zigzag-encoded integer of at most 64 bits.
    @inline(__always)
    mutating func varlong() throws(RecordDamage) -> Int64 {
        let first = try byte()
        if first < 0x80 { return Int64(first >> 1) ^ -Int64(first & 1) }
        return try longVarlong(first)
    }

    private mutating func longVarlong(_ first: UInt8) throws(RecordDamage) -> Int64 {
        var value = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        while true {
            let next = try byte()
            // The tenth byte holds bit 63 only.
            if shift == 63, next > 1 { throw .varintTooLong }
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            shift += 7
        }
    }

    /// A zigzag-encoded integer of at most 32 bits.
    @inline(__always)
    mutating func varint() throws(RecordDamage) -> Int32 {
        let first = try byte()
        if first < 0x80 { return Int32(first >> 1) ^ -Int32(first & 1) }
        let value = try longVarlong(first)
        guard let narrow = Int32(exactly: value) else { throw .varintTooLong }
        return narrow
    }

    /// A length that may be -1 for null, and as many bytes.
    @inline(__always)
    mutating func nullableBytes() throws(RecordDamage) -> UnsafeRawBufferPointer? {
        let length = Int(try varint())
        if length < 0 {
            guard length == -1 else { throw .negativeLength }
            return nil
        }
        guard length <= remaining else { throw .lengthBeyondRecord }
        defer { position += length }
        return UnsafeRawBufferPointer(start: position, count: length)
    }

    /// A length of at least 0, and as many bytes.
    @inline(__always)
    mutating func bytes() throws(RecordDamage) -> UnsafeRawBufferPointer {
        guard let bytes = try nullableBytes() else { throw .negativeLength }
        return bytes
    }
}

extension RecordDamage: Error {}
