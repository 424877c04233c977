public import NIOCore

/// Reads the values of one message, front to back.
///
/// Owned by whoever decodes; a value, so a copy reads on its own. It never traps on what the bytes say: every length is
/// compared with what remains before anything is taken or reserved, and strings, bytes and record batches come out as
/// slices of the buffer (strings as copies). Each method names the field, for the error.
///
///     kind            fixed encoding                 flexible encoding (KIP-482)
///     string          int16 length, bytes            uvarint length + 1, bytes       (null: -1, or 0)
///     bytes, records  int32 length, bytes            uvarint length + 1, bytes       (null: -1, or 0)
///     array           int32 count, elements          uvarint count + 1, elements     (null: -1, or 0)
///     struct or null  int8 1, fields                 int8 1, fields                 (null: -1)
///     end of struct   –                              uvarint count, (uvarint tag, uvarint size, bytes)…
public struct MessageReader: Sendable {
    /// The writer index is the limit of what may be read; inside a tagged field it is that field's end.
    var buffer: ByteBuffer
    private let start: Int
    /// Whether lengths are compact and structures end with tagged fields. The message sets it when it begins.
    var isFlexible = false
    /// How many more elements arrays may bring. An empty string is one byte on the wire and sixteen in memory, and what
    /// is answered to an element may be larger still, so the size of a message alone does not bound what it becomes.
    var elementsLeft: Int
    let elementLimit: Int

    /// The most elements in all arrays of one message, where the caller says nothing else.
    public static let maximumElements = 4_000_000

    /// Reads from the readable bytes of `buffer`.
    ///
    /// - Parameter maximumElements: more elements in all arrays together are an error.
    public init(_ buffer: ByteBuffer, maximumElements: Int = Self.maximumElements) {
        self.buffer = buffer
        self.start = buffer.readerIndex
        self.elementsLeft = maximumElements
        self.elementLimit = maximumElements
    }

    /// How many bytes have been read.
    public var position: Int { buffer.readerIndex - start }

    /// How many bytes are left.
    public var remaining: Int { buffer.readableBytes }

    /// The bytes that are left, as a slice.
    public var rest: ByteBuffer { buffer.slice() }

    /// The number that comes next, which stays unread.
    var nextInt16: Int16? { buffer.getInteger(at: buffer.readerIndex) }

    /// Throws if bytes are left.
    public func finish(_ message: StaticString = "message") throws(ProtocolError) {
        if remaining > 0 { throw error(.trailingBytes(remaining), message) }
    }

    /// Prepares for a message's fields, and checks that its version is known.
    mutating func begin<Message: KafkaMessage>(_ message: Message.Type, version: Int16) throws(ProtocolError) {
        try message.checkVersion(version)
        isFlexible = message.isFlexible(version)
    }

    /// The error, with the present position.
    @inline(never)
    func error(_ reason: ProtocolError.Reason, _ field: StaticString) -> ProtocolError {
        ProtocolError(reason, field: "\(field)", position: position)
    }

    @inline(never)
    func truncated(_ needed: Int, _ field: StaticString) -> ProtocolError {
        error(.truncated(needed: needed, remaining: remaining), field)
    }
}

// MARK: Numbers

extension MessageReader {
    mutating func readBool(_ field: StaticString) throws(ProtocolError) -> Bool {
        try readInt8(field) != 0
    }

    mutating func readInt8(_ field: StaticString) throws(ProtocolError) -> Int8 {
        guard let value = buffer.readInteger(as: Int8.self) else { throw truncated(1, field) }
        return value
    }

    mutating func readInt16(_ field: StaticString) throws(ProtocolError) -> Int16 {
        guard let value = buffer.readInteger(as: Int16.self) else { throw truncated(2, field) }
        return value
    }

    mutating func readInt32(_ field: StaticString) throws(ProtocolError) -> Int32 {
        guard let value = buffer.readInteger(as: Int32.self) else { throw truncated(4, field) }
        return value
    }

    mutating func readInt64(_ field: StaticString) throws(ProtocolError) -> Int64 {
        guard let value = buffer.readInteger(as: Int64.self) else { throw truncated(8, field) }
        return value
    }

    mutating func readUUID(_ field: StaticString) throws(ProtocolError) -> KafkaUUID {
        guard remaining >= 16 else { throw truncated(16, field) }
        let high = try readInt64(field)
        let low = try readInt64(field)
        return KafkaUUID(high: UInt64(bitPattern: high), low: UInt64(bitPattern: low))
    }

    mutating func readErrorCode(_ field: StaticString) throws(ProtocolError) -> ErrorCode {
        ErrorCode(rawValue: try readInt16(field))
    }

    /// Seven bits a byte, the lowest first; at most five bytes and 32 bits.
    mutating func readUnsignedVarint(_ field: StaticString) throws(ProtocolError) -> UInt32 {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while true {
            guard let byte = buffer.readInteger(as: UInt8.self) else { throw truncated(1, field) }
            if shift == 28, byte > 0x0F { throw error(.varintTooLong, field) }
            value |= UInt32(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }
}
