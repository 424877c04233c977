// A message set: messages one after the other, without a count. Formats 0 and 1 (the magic byte); integers are
// big-endian.
//
//      0                8        12        16    17         18                       (format 1)  26
//      +----------------+--------+---------+-----+----------+----------------------------------+
//      |     offset     |  size  | CRC-32  |magic|attributes|  timestamp, in format 1 only     |
//      |     Int64      | Int32  | UInt32  |0, 1 |   Int8   |  Int64, milliseconds             |
//      +----------------+--------+---------+-----+----------+----------------------------------+
//
//     18 or 26          22 or 30
//      +----------------+----------------+----------------+----------------+
//      |   key length   |  key           |  value length  |  value         |
//      | Int32, -1 null |                | Int32, -1 null |                |
//      +----------------+----------------+----------------+----------------+
//
//     size counts the bytes after itself; the CRC covers everything after itself.
//     attributes: bits 0–2 compression, 3 timestamp is the log's append time (format 1, wrappers mostly).
//
//     A compressed message is a wrapper: its value, decompressed, is another message set of the same format. The
//     wrapper's offset is that of its last message. In format 0 the messages inside have their absolute offsets; in
//     format 1 they count from 0, or from wherever the producer began, and only their distances hold. Where the wrapper
//     says that its timestamp is the append time, it is that of all messages inside.

/// One message as it lies in its set, wrapper or not. Valid as long as the memory that it was read from.
struct LegacyMessage {
    /// As written; see the drawing.
    let offset: Int64
    let format: LegacyMessageFormat
    let attributes: UInt8
    /// -1 in format 0.
    let timestamp: Int64
    let key: UnsafeRawBufferPointer?
    let value: UnsafeRawBufferPointer?
    /// Bytes of the whole message, offset and size included.
    let byteCount: Int

    /// Bytes before what the size counts.
    static let overhead = 12
    /// Where the magic byte is, as in a record batch.
    static let magicIndex = 16
    private static let attributesIndex = 17
    private static let codecBits: UInt8 = 0b111
    static let logAppendTimeBit: UInt8 = 0b1000

    /// The number of the codec; 0 for a message that is no wrapper.
    var codec: UInt8 { attributes & Self.codecBits }
    var isLogAppendTime: Bool { format == .v1 && attributes & Self.logAppendTimeBit != 0 }

    /// Reads the message at the beginning of `bytes`, and checks its CRC.
    init(reading bytes: UnsafeRawBufferPointer) throws(LegacyMessageDamage) {
        byteCount = try Self.byteCount(at: bytes)
        let size = byteCount - Self.overhead
        guard size > Self.magicIndex - Self.overhead else { throw .invalidSize(Int32(truncatingIfNeeded: size)) }
        let magic = Int8(bitPattern: bytes[Self.magicIndex])
        guard let format = LegacyMessageFormat(rawValue: magic) else { throw .unsupportedMagic(magic) }
        guard size >= format.minimumSize else { throw .invalidSize(Int32(truncatingIfNeeded: size)) }
        self.format = format
        offset = bytes.bigEndian(at: 0)
        let stored: UInt32 = bytes.bigEndian(at: 12)
        let computed = CRC32.checksum(UnsafeRawBufferPointer(rebasing: bytes[Self.magicIndex..<byteCount]))
        guard stored == computed else { throw .checksumMismatch(stored: stored, computed: computed) }
        attributes = bytes[Self.attributesIndex]
        timestamp = format == .v1 ? bytes.bigEndian(at: 18) : -1

        var position = format == .v1 ? 26 : 18
        let message = UnsafeRawBufferPointer(rebasing: bytes[..<byteCount])
        key = try Self.nullableBytes(of: message, at: &position)
        value = try Self.nullableBytes(of: message, at: &position)
        guard position == byteCount else { throw .bytesAfterValue(byteCount - position) }
    }

    /// The bytes that the message at the beginning of `bytes` takes, all of which are there.
    static func byteCount(at bytes: UnsafeRawBufferPointer) throws(LegacyMessageDamage) -> Int {
        guard bytes.count >= overhead else { throw .truncated(needed: overhead, available: bytes.count) }
        let size: Int32 = bytes.bigEndian(at: 8)
        guard size >= 0 else { throw .invalidSize(size) }
        let needed = overhead + Int(size)
        guard bytes.count >= needed else { throw .truncated(needed: needed, available: bytes.count) }
        return needed
    }

    /// The number of the codec of the message at the beginning of `bytes`, unchecked; nil if there are too few bytes.
    static func codec(at bytes: UnsafeRawBufferPointer) -> UInt8? {
        bytes.count > attributesIndex ? bytes[attributesIndex] & codecBits : nil
    }

    private static func nullableBytes(
        of message: UnsafeRawBufferPointer, at position: inout Int
    ) throws(LegacyMessageDamage) -> UnsafeRawBufferPointer? {
        // The smallest size of the format has room for both lengths, and a field never reaches beyond the message.
        guard message.count - position >= 4 else { throw .fieldBeyondEnd }
        let length = Int(message.bigEndian(at: position) as Int32)
        position += 4
        if length == -1 { return nil }
        guard length >= 0 else { throw .negativeLength }
        guard length <= message.count - position else { throw .fieldBeyondEnd }
        defer { position += length }
        return UnsafeRawBufferPointer(rebasing: message[position..<position + length])
    }
}
