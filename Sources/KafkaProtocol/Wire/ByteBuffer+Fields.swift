internal import NIOCore

// Writing the values that MessageReader reads; its comment shows the encodings.

extension ByteBuffer {
    mutating func writeBool(_ value: Bool) { writeInteger(value ? 1 : 0, as: UInt8.self) }

    mutating func writeInt8(_ value: Int8) { writeInteger(value) }

    mutating func writeInt16(_ value: Int16) { writeInteger(value) }

    mutating func writeInt32(_ value: Int32) { writeInteger(value) }

    mutating func writeInt64(_ value: Int64) { writeInteger(value) }

    mutating func writeErrorCode(_ value: ErrorCode) { writeInteger(value.rawValue) }

    mutating func writeUUID(_ value: KafkaUUID) { writeMultipleIntegers(value.high, value.low) }

    mutating func writeUnsignedVarint(_ value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(truncatingIfNeeded: rest))
    }

    mutating func writeString(_ value: String, flexible: Bool, _ field: StaticString) throws(ProtocolError) {
        let length = value.utf8.count
        guard length <= MessageReader.maximumStringBytes else {
            throw ProtocolError(.valueTooLong(length, maximum: MessageReader.maximumStringBytes), field: "\(field)")
        }
        if flexible {
            writeUnsignedVarint(UInt32(truncatingIfNeeded: length + 1))
        } else {
            writeInteger(Int16(truncatingIfNeeded: length))
        }
        writeString(value)
    }

    mutating func writeNullableString(_ value: String?, flexible: Bool, _ field: StaticString) throws(ProtocolError) {
        if let value {
            try writeString(value, flexible: flexible, field)
        } else if flexible {
            writeUnsignedVarint(0)
        } else {
            writeInteger(Int16(-1))
        }
    }

    mutating func writeBytes(_ value: ByteBuffer, flexible: Bool, _ field: StaticString) throws(ProtocolError) {
        try writeLength(value.readableBytes, flexible: flexible, field)
        writeImmutableBuffer(value)
    }

    mutating func writeNullableBytes(
        _ value: ByteBuffer?, flexible: Bool, _ field: StaticString
    ) throws(ProtocolError) {
        guard let value else {
            writeNullLength(flexible: flexible)
            return
        }
        try writeBytes(value, flexible: flexible, field)
    }

    mutating func writeArray<Element: KafkaStructure>(
        _ elements: [Element], _ version: Int16, flexible: Bool, _ field: StaticString
    ) throws(ProtocolError) {
        try writeLength(elements.count, flexible: flexible, field)
        for element in elements { try element.encode(into: &self, version: version, flexible: flexible) }
    }

    mutating func writeNullableArray<Element: KafkaStructure>(
        _ elements: [Element]?, _ version: Int16, flexible: Bool, _ field: StaticString
    ) throws(ProtocolError) {
        guard let elements else {
            writeNullLength(flexible: flexible)
            return
        }
        try writeArray(elements, version, flexible: flexible, field)
    }

    mutating func writeInt32Array(_ elements: [Int32], flexible: Bool, _ field: StaticString) throws(ProtocolError) {
        try writeLength(elements.count, flexible: flexible, field)
        for element in elements { writeInteger(element) }
    }

    mutating func writeNullableInt32Array(
        _ elements: [Int32]?, flexible: Bool, _ field: StaticString
    ) throws(ProtocolError) {
        guard let elements else { return writeNullLength(flexible: flexible) }
        try writeInt32Array(elements, flexible: flexible, field)
    }

    mutating func writeInt64Array(_ elements: [Int64], flexible: Bool, _ field: StaticString) throws(ProtocolError) {
        try writeLength(elements.count, flexible: flexible, field)
        for element in elements { writeInteger(element) }
    }

    mutating func writeStringArray(_ elements: [String], flexible: Bool, _ field: StaticString) throws(ProtocolError) {
        try writeLength(elements.count, flexible: flexible, field)
        for element in elements { try writeString(element, flexible: flexible, field) }
    }

    mutating func writeNullableStringArray(
        _ elements: [String]?, flexible: Bool, _ field: StaticString
    ) throws(ProtocolError) {
        guard let elements else { return writeNullLength(flexible: flexible) }
        try writeStringArray(elements, flexible: flexible, field)
    }

    mutating func writeNullable(
        _ structure: (some KafkaStructure)?, _ version: Int16, flexible: Bool
    ) throws(ProtocolError) {
        writeInt8(structure == nil ? -1 : 1)
        try structure?.encode(into: &self, version: version, flexible: flexible)
    }

    private mutating func writeLength(_ length: Int, flexible: Bool, _ field: StaticString) throws(ProtocolError) {
        guard length < Int(Int32.max) else {
            throw ProtocolError(.valueTooLong(length, maximum: Int(Int32.max) - 1), field: "\(field)")
        }
        if flexible {
            writeUnsignedVarint(UInt32(truncatingIfNeeded: length + 1))
        } else {
            writeInteger(Int32(truncatingIfNeeded: length))
        }
    }

    private mutating func writeNullLength(flexible: Bool) {
        if flexible {
            writeUnsignedVarint(0)
        } else {
            writeInteger(Int32(-1))
        }
    }
}
