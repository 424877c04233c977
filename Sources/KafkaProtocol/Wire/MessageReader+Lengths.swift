internal import NIOCore

// Strings, bytes and arrays: everything that has a length in front.

extension MessageReader {
    /// The most bytes of a string, in either encoding.
    static let maximumStringBytes = Int(Int16.max)

    /// How many elements are reserved before any has been read.
    private static let reservedElements = 128

    /// A length before string bytes; nil is null.
    private mutating func readStringLength(_ field: StaticString) throws(ProtocolError) -> Int? {
        let length: Int
        if isFlexible {
            length = Int(try readUnsignedVarint(field)) - 1
        } else {
            length = Int(try readInt16(field))
        }
        if length == -1 { return nil }
        guard length >= 0, length <= Self.maximumStringBytes else {
            throw error(.invalidLength(length, maximum: Self.maximumStringBytes), field)
        }
        guard length <= remaining else { throw truncated(length, field) }
        return length
    }

    /// A length before bytes, or a count before elements; nil is null.
    private mutating func readLength(_ field: StaticString) throws(ProtocolError) -> Int? {
        let length: Int
        if isFlexible {
            length = Int(try readUnsignedVarint(field)) - 1
        } else {
            length = Int(try readInt32(field))
        }
        if length == -1 { return nil }
        guard length >= 0, length <= Int(Int32.max) else {
            throw error(.invalidLength(length, maximum: Int(Int32.max)), field)
        }
        return length
    }

    mutating func readNullableString(_ field: StaticString) throws(ProtocolError) -> String? {
        guard let length = try readStringLength(field) else { return nil }
        let text = buffer.withUnsafeReadableBytes { bytes in
            String(validating: UnsafeRawBufferPointer(rebasing: bytes[..<length]), as: UTF8.self)
        }
        guard let text else { throw error(.invalidUTF8, field) }
        buffer.moveReaderIndex(forwardBy: length)
        return text
    }

    mutating func readString(_ field: StaticString) throws(ProtocolError) -> String {
        guard let value = try readNullableString(field) else { throw error(.unexpectedNull, field) }
        return value
    }

    /// A slice of the buffer.
    mutating func readNullableBytes(_ field: StaticString) throws(ProtocolError) -> ByteBuffer? {
        guard let length = try readLength(field) else { return nil }
        guard let slice = buffer.readSlice(length: length) else { throw truncated(length, field) }
        return slice
    }

    mutating func readBytes(_ field: StaticString) throws(ProtocolError) -> ByteBuffer {
        guard let value = try readNullableBytes(field) else { throw error(.unexpectedNull, field) }
        return value
    }

    /// The count of elements that take at least `minimumSize` bytes each; nil is null.
    private mutating func readCount(_ minimumSize: Int, _ field: StaticString) throws(ProtocolError) -> Int? {
        guard let count = try readLength(field) else { return nil }
        guard count <= remaining / minimumSize else {
            throw error(.countTooLarge(count, remaining: remaining), field)
        }
        return count
    }

    /// The count of elements, which count against the limit of all arrays together; nil is null.
    private mutating func readElementCount(_ minimumSize: Int, _ field: StaticString) throws(ProtocolError) -> Int? {
        guard let count = try readCount(minimumSize, field) else { return nil }
        guard count <= elementsLeft else { throw error(.tooManyElements(maximum: elementLimit), field) }
        elementsLeft -= count
        return count
    }

    mutating func readNullableArray<Element: KafkaStructure>(
        of type: Element.Type, _ version: Int16, minimumSize: Int, _ field: StaticString
    ) throws(ProtocolError) -> [Element]? {
        guard let count = try readElementCount(minimumSize, field) else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(min(count, Self.reservedElements))
        for _ in 0..<count { elements.append(try Element(decoding: &self, version: version)) }
        return elements
    }

    mutating func readArray<Element: KafkaStructure>(
        of type: Element.Type, _ version: Int16, minimumSize: Int, _ field: StaticString
    ) throws(ProtocolError) -> [Element] {
        guard let value = try readNullableArray(of: type, version, minimumSize: minimumSize, field) else {
            throw error(.unexpectedNull, field)
        }
        return value
    }

    mutating func readNullableInt32Array(_ field: StaticString) throws(ProtocolError) -> [Int32]? {
        guard let count = try readElementCount(4, field) else { return nil }
        var elements: [Int32] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try readInt32(field)) }
        return elements
    }

    mutating func readInt32Array(_ field: StaticString) throws(ProtocolError) -> [Int32] {
        guard let value = try readNullableInt32Array(field) else { throw error(.unexpectedNull, field) }
        return value
    }

    mutating func readInt64Array(_ field: StaticString) throws(ProtocolError) -> [Int64] {
        guard let count = try readElementCount(8, field) else { throw error(.unexpectedNull, field) }
        var elements: [Int64] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try readInt64(field)) }
        return elements
    }

    mutating func readNullableStringArray(_ field: StaticString) throws(ProtocolError) -> [String]? {
        guard let count = try readElementCount(isFlexible ? 1 : 2, field) else { return nil }
        var elements: [String] = []
        elements.reserveCapacity(min(count, Self.reservedElements))
        for _ in 0..<count { elements.append(try readString(field)) }
        return elements
    }
    mutating func readStringArray(_ field: StaticString) throws(ProtocolError) -> [String] {
        guard let value = try readNullableStringArray(field) else { throw error(.unexpectedNull, field) }
        return value
    }

    /// A structure behind a byte that is negative for null (KIP-893).
    mutating func readNullable<Structure: KafkaStructure>(
        _ type: Structure.Type, _ version: Int16, _ field: StaticString
    ) throws(ProtocolError) -> Structure? {
        guard try readInt8(field) >= 0 else { return nil }
        return try Structure(decoding: &self, version: version)
    }
}
