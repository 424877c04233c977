internal import NIOCore

/// What a broker makes of a batch whose topic has a codec of its own. Called on any thread.
extension EncodedBatch {
    /// The same records, compressed with `codec`; offsets, timestamps and the producer's fields stay. Each record is looked
    /// at on the way, so that a batch is not given a new CRC around records that are no records.
    ///
    /// - Parameter maximumDecompressedBytes: more than this is an error, so that a small batch cannot fill the memory.
    public func recompressed(
        with codec: CompressionCodec,
        maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes
    ) throws(RecordBatchError) -> EncodedBatch {
        guard let present = header.compression else {
            throw .unknownCompression(UInt8(header.attributes & 0b111))
        }
        var records = payload
        if present != .none {
            records = ByteBuffer()
            try payload.withUnsafeReadableBytes { (compressed) throws(RecordBatchError) in
                try Decompression.decompress(
                    compressed, with: present, into: &records, maximumBytes: maximumDecompressedBytes)
            }
        }
        try records.withUnsafeReadableBytes { (bytes) throws(RecordBatchError) in
            var walk = RecordWalk(header: header, records: bytes)
            while try walk.next() != nil {}
        }
        if present == codec { return self }
        var changed = header
        changed.attributes = header.attributes & ~0b111 | Int16(codec.rawValue)
        return try EncodedBatch(changed, records: records)
    }
}
