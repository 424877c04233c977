import NIOCore

@testable import RecordBatch

/// Messages of format 1 and compressed ones around them, as old producers make them.
enum LegacyWrapper {
    static func message(value: ByteBuffer, codec: CompressionCodec = .none) -> ByteBuffer {
        var covered = ByteBuffer(bytes: [1, codec.rawValue])
        covered.writeInteger(Int64(1_000))
        covered.writeInteger(Int32(-1))
        covered.writeInteger(Int32(value.readableBytes))
        covered.writeImmutableBuffer(value)
        var message = ByteBuffer()
        message.writeInteger(Int64(0))
        message.writeInteger(Int32(covered.readableBytes + 4))
        message.writeInteger(covered.withUnsafeReadableBytes { CRC32.checksum($0) })
        message.writeImmutableBuffer(covered)
        return message
    }

    static func wrap(_ set: ByteBuffer, with codec: CompressionCodec) throws -> ByteBuffer {
        var compressed = ByteBuffer()
        try set.withUnsafeReadableBytes { try Compression.compress($0, with: codec, into: &compressed) }
        return self.message(value: compressed, codec: codec)
    }
}
