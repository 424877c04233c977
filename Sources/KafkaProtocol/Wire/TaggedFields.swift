internal import NIOCore

/// The tagged fields of one structure that is being written, gathered because their count comes first.
///
/// Append in ascending order of the tags. A value of the structure's `encode`.
struct TaggedFields {
    private var count: UInt32 = 0
    private var bytes = ByteBuffer()

    mutating func append(_ tag: UInt32, _ value: ByteBuffer) {
        count += 1
        bytes.writeUnsignedVarint(tag)
        bytes.writeUnsignedVarint(UInt32(truncatingIfNeeded: value.readableBytes))
        bytes.writeImmutableBuffer(value)
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeUnsignedVarint(count)
        buffer.writeImmutableBuffer(bytes)
    }
}

extension ByteBuffer {
    mutating func writeEmptyTaggedFields() { writeInteger(UInt8(0)) }
}
