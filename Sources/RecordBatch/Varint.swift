/// Sizes of zigzag-encoded variable-length integers.
enum Varint {
    /// Bytes of the longest.
    static let maximumBytes = 10

    @inline(__always)
    static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }

    @inline(__always)
    static func byteCount(_ value: Int64) -> Int {
        // Seven bits a byte; zero takes one byte too.
        (70 - (zigzag(value) | 1).leadingZeroBitCount) / 7
    }

    /// Bytes of a nullable field: its length, then its bytes.
    @inline(__always)
    static func byteCount(ofLength length: Int?) -> Int {
        guard let length else { return 1 }
        return byteCount(Int64(length)) + length
    }

    @inline(__always)
    static func byteCount(of field: UnsafeRawBufferPointer?) -> Int {
        byteCount(ofLength: field?.count)
    }
}

/// Writes one record into room that has been measured before. Lives within one append.
struct RecordWriter {
    private let start: UnsafeMutableRawPointer
    private var position: UnsafeMutableRawPointer

    /// - Precondition: the room is large enough for everything that is going to be written.
    init(_ room: UnsafeMutableRawBufferPointer) {
        guard let start = room.baseAddress else { preconditionFailure("no room for a record") }
        self.start = start
        self.position = start
    }

    var written: Int { position - start }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        position.storeBytes(of: value, as: UInt8.self)
        position += 1
    }

    @inline(__always)
    mutating func varint(_ value: Int64) {
        var rest = Varint.zigzag(value)
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func nullableBytes(_ bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return varint(-1) }
        varint(Int64(bytes.count))
        if let source = bytes.baseAddress, bytes.count > 0 {
            position.copyMemory(from: source, byteCount: bytes.count)
            position += bytes.count
        }
    }

    mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { nullableBytes(UnsafeRawBufferPointer($0)) }
    }
}
