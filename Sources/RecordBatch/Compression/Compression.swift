internal import NIOCore

/// Compression of a batch's records, to the layouts that Kafka's own clients write. Called on any thread.
enum Compression {
    /// Appends the compressed input to `output`.
    static func compress(
        _ input: UnsafeRawBufferPointer, with codec: CompressionCodec, into output: inout ByteBuffer
    ) throws(RecordBatchError) {
        switch codec {
        case .none: output.writeBytes(input)
        case .gzip: try GzipCodec.compress(input, into: &output)
        case .snappy: try SnappyCodec.compress(input, into: &output)
        case .lz4: try LZ4Codec.compress(input, into: &output)
        case .zstd: try ZstdCodec.compress(input, into: &output)
        }
    }
}
