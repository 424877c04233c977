import NIOCore
import Testing

@testable import RecordBatch

@Suite struct LZ4ContextTests {
    private func decompress(_ frame: [UInt8]) throws -> [UInt8] {
        var output = ByteBuffer()
        try frame.withUnsafeBytes { frame in
            try Decompression.decompress(frame, with: .lz4, into: &output, maximumBytes: 1 << 20)
        }
        return Array(output.readableBytesView)
    }

    @Test func frameWithAWrongContentSizeDoesNotSpoilTheNextOne() throws {
        let text = Array("node_load1 0.5 node_load1 0.5 node_load1 0.5".utf8)
        var compressed = ByteBuffer()
        try text.withUnsafeBytes { try LZ4Codec.compress($0, into: &compressed) }
        let whole = Array(compressed.readableBytesView)
        // magic (4), flags, block size, [content size (8)], header checksum, blocks
        let flags = whole[4] | 0x08
        let contentSize: [UInt8] = [255, 0, 0, 0, 0, 0, 0, 0]
        var reasons: Set<String> = []
        for checksum in UInt8.min...UInt8.max {
            let wrong = whole[..<4] + [flags, whole[5]] + contentSize + [checksum] + whole[7...]
            do {
                _ = try decompress(Array(wrong))
                Issue.record("a frame of another size than it says was read")
            } catch let error as RecordBatchError {
                reasons.insert("\(error)")
            }
            #expect(try decompress(whole) == text)
        }
        // One checksum was right, so that the frame was read to its end.
        #expect(reasons.contains { $0.contains("frameSize_wrong") })
    }
}
