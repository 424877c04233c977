internal import CSnappy
internal import NIOCore

// Snappy as Kafka's clients frame it (xerial's snappy-java, SnappyOutputStream). Integers are big-endian.
//
//      0                            8           12             16
//      +----------------------------+-----------+--------------+--------+-----------+--------+-----------+---
//      | 0x82 S N A P P Y 0x00      | version 1 | compatible 1 | length | raw block | length | raw block | …
//      +----------------------------+-----------+--------------+--------+-----------+--------+-----------+---
//
// Each raw block holds up to 32 KiB of the input. Some clients write one raw block without the framing; both are read.

/// Snappy by libsnappy, which needs no context.
enum SnappyCodec {
    private static let magic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
    private static let framingBytes = 16
    /// The block size of Kafka's Java client.
    private static let blockBytes = 32 << 10
    /// An upper bound of how far snappy can blow up its input: a copy element of three bytes yields up to 64.
    private static let maximumRatio = 22

    static func decompress(_ input: UnsafeRawBufferPointer, into sink: inout DecompressionSink) throws(RecordBatchError)
    {
        guard input.count >= framingBytes, input.prefix(magic.count).elementsEqual(magic) else {
            return try decompressBlock(input, into: &sink)
        }
        var position = framingBytes
        while position < input.count {
            guard input.count - position >= 4 else { throw sink.damaged("a block's length is cut off") }
            let length = Int(input.bigEndian(at: position) as Int32)
            position += 4
            guard length >= 0, length <= input.count - position else {
                throw sink.damaged("a block of \(length) bytes goes beyond the end")
            }
            try decompressBlock(UnsafeRawBufferPointer(rebasing: input[position..<position + length]), into: &sink)
            position += length
        }
    }

    private static func decompressBlock(
        _ block: UnsafeRawBufferPointer, into sink: inout DecompressionSink
    ) throws(RecordBatchError) {
        let compressed = block.baseAddress?.assumingMemoryBound(to: CChar.self)
        var length = 0
        guard block.count > 0, snappy_uncompressed_length(compressed, block.count, &length) == SNAPPY_OK else {
            throw sink.damaged("a block does not begin with its length")
        }
        // The claim is believed only as far as the compressed bytes can bear it out.
        guard length <= block.count.multipliedOrMax(by: maximumRatio) else {
            throw sink.damaged("a block of \(block.count) bytes claims to hold \(length)")
        }
        let damage = sink.damaged("a block is corrupt")
        try sink.offer(exactly: length) { (room) throws(RecordBatchError) in
            var filled = room.count
            var nothing: CChar = 0
            let status = withUnsafeMutablePointer(to: &nothing) { empty in
                snappy_uncompress(
                    compressed, block.count, room.baseAddress?.assumingMemoryBound(to: CChar.self) ?? empty, &filled)
            }
            guard status == SNAPPY_OK, filled == room.count else { throw damage }
            return filled
        }
    }

    static func compress(_ input: UnsafeRawBufferPointer, into output: inout ByteBuffer) throws(RecordBatchError) {
        output.writeBytes(magic)
        output.writeInteger(1 as Int32)
        output.writeInteger(1 as Int32)
        var position = 0
        while position < input.count {
            let block = UnsafeRawBufferPointer(rebasing: input[position..<min(position + blockBytes, input.count)])
            let lengthIndex = output.writerIndex
            output.writeInteger(0 as Int32)
            var status = SNAPPY_OK
            let written = output.writeWithUnsafeMutableBytes(
                minimumWritableBytes: snappy_max_compressed_length(block.count)
            ) { room in
                var filled = room.count
                status = snappy_compress(
                    block.baseAddress?.assumingMemoryBound(to: CChar.self), block.count,
                    room.baseAddress?.assumingMemoryBound(to: CChar.self), &filled)
                return status == SNAPPY_OK ? filled : 0
            }
            guard status == SNAPPY_OK else {
                throw .compressionFailed(.snappy, reason: "libsnappy error \(status.rawValue)")
            }
            output.setInteger(Int32(written), at: lengthIndex)
            position += block.count
        }
    }
}
