// The tagged fields at the end of a structure in the flexible encoding (KIP-482). Those that the schema does not know are
// skipped; each takes at least two bytes, so their number is bounded by what remains.

internal import NIOCore

/// A tagged field that is being read: the reader is limited to its bytes until `end`.
struct TaggedField {
    var tag: UInt32
    /// The reader's limit before this field.
    fileprivate var outerLimit: Int
}

extension MessageReader {
    /// How many tagged fields follow, which count as elements; 0 in a version without them.
    mutating func readTaggedFieldCount() throws(ProtocolError) -> UInt32 {
        guard isFlexible else { return 0 }
        let count = try readUnsignedVarint("tagged fields")
        guard Int(count) <= remaining / 2 else {
            throw error(.countTooLarge(Int(count), remaining: remaining), "tagged fields")
        }
        guard Int(count) <= elementsLeft else {
            throw error(.tooManyElements(maximum: elementLimit), "tagged fields")
        }
        elementsLeft -= Int(count)
        return count
    }

    /// Reads the tag and size, and limits the reader to the field's bytes.
    mutating func beginTaggedField() throws(ProtocolError) -> TaggedField {
        let tag = try readUnsignedVarint("tagged field tag")
        let size = Int(try readUnsignedVarint("tagged field size"))
        guard size <= remaining else { throw truncated(size, "tagged field") }
        let field = TaggedField(tag: tag, outerLimit: buffer.writerIndex)
        buffer.moveWriterIndex(to: buffer.readerIndex + size)
        return field
    }

    /// Passes over the bytes of a field that nobody here knows.
    mutating func skip(_ field: TaggedField) {
        buffer.moveReaderIndex(to: buffer.writerIndex)
    }

    /// Gives the reader back its limit. All bytes of the field must have been read.
    mutating func end(_ field: TaggedField) throws(ProtocolError) {
        guard remaining == 0 else { throw error(.taggedFieldSize(unread: remaining), "tagged field") }
        buffer.moveWriterIndex(to: field.outerLimit)
    }

    /// Passes over all tagged fields of a structure that has none of its own.
    mutating func skipTaggedFields() throws(ProtocolError) {
        for _ in 0..<(try readTaggedFieldCount()) {
            let field = try beginTaggedField()
            skip(field)
            try end(field)
        }
    }
}
