import Fuzzing
import NIOCore

@testable import RecordBatch

extension FuzzTarget {
    static let gzip = codec(.gzip)
    static let snappy = codec(.snappy)
    static let lz4 = codec(.lz4)
    static let zstd = codec(.zstd)

    /// A decompressor. What comes out never passes the limit, and is the same after having been compressed by us.
    private static func codec(_ codec: CompressionCodec) -> FuzzTarget {
        var output = ByteBuffer()
        var compressed = ByteBuffer()
        var again = ByteBuffer()
        return FuzzTarget("\(codec)", maximumBytes: 512) { bytes in
            let limit = 64 << 10
            output.clear()
            do throws(RecordBatchError) {
                try Decompression.decompress(bytes, with: codec, into: &output, maximumBytes: limit)
            } catch {
                return
            }
            promise(output.readableBytes <= limit, "\(output.readableBytes) bytes in spite of the limit")
            compressed.clear()
            again.clear()
            do throws(RecordBatchError) {
                try output.withUnsafeReadableBytes { (plain) throws(RecordBatchError) in
                    try Compression.compress(plain, with: codec, into: &compressed)
                }
                try compressed.withUnsafeReadableBytes { (bytes) throws(RecordBatchError) in
                    try Decompression.decompress(bytes, with: codec, into: &again, maximumBytes: limit)
                }
            } catch {
                broken("\(output.readableBytes) bytes do not survive \(codec): \(error)")
            }
            promise(again == output, "\(output.readableBytes) bytes come back from \(codec) as others")
        }
    }
}
