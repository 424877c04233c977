import NIOCore
import RecordBatch
import TestKit
import Testing

@Suite struct CompressionTests {
    private static let codecs: [CompressionCodec] = [.gzip, .snappy, .lz4, .zstd]

    @Test(arguments: codecs) func aBombStopsAtTheLimit(_ codec: CompressionCodec) throws {
        let zeros = ByteBuffer(repeating: 0, count: 8 << 20)
        var builder = RecordBatchBuilder(compression: codec)
        builder.append(timestamp: 0, key: nil, value: zeros)
        let batch = try builder.finish()
        #expect(batch.bytes.readableBytes < 1 << 20)
        let limit = 1 << 20
        #expect(throws: RecordBatchError.decompressedTooLarge(codec, limit: limit)) {
            try batch.records(maximumDecompressedBytes: limit)
        }
        #expect(throws: RecordBatchError.decompressedTooLarge(codec, limit: limit)) {
            try batch.forEachRecord(maximumDecompressedBytes: limit) { _ in }
        }
        #expect(try batch.records().map(\.value) == [zeros])
    }

    @Test(arguments: codecs) func theLimitItselfIsAllowed(_ codec: CompressionCodec) throws {
        var generator = SeededGenerator()
        let records = BatchMaking.records(100, &generator)
        let exact = try BatchMaking.encode(records).bytes.readableBytes - 61
        let batch = try BatchMaking.encode(records, with: codec)
        #expect(try batch.records(maximumDecompressedBytes: exact) == records)
        #expect(throws: RecordBatchError.decompressedTooLarge(codec, limit: exact - 1)) {
            try batch.records(maximumDecompressedBytes: exact - 1)
        }
        #expect(throws: RecordBatchError.decompressedTooLarge(codec, limit: 0)) {
            try batch.records(maximumDecompressedBytes: -1)
        }
    }

    @Test func claimsOfGreatSizeAreNotBelieved() throws {
        // Snappy: a raw block that says it holds 4 GiB.
        try expectDamage(.snappy, [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])
        // Snappy, xerial: a block of 2 GiB.
        try expectDamage(
            .snappy, [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1, 127, 255, 255, 255])
        // Zstandard: a single segment of a terabyte.
        try expectDamage(.zstd, [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0])
        // Zstandard: a window of two terabytes.
        try expectDamage(.zstd, [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 1, 0, 0])
    }

    private func expectDamage(_ codec: CompressionCodec, _ payload: [UInt8]) throws {
        let batch = try EncodedBatch(validating: BatchMaking.batch(codec: codec.rawValue, records: payload))
        #expect {
            try batch.records(maximumDecompressedBytes: 16 << 20)
        } throws: { error in
            if case .decompressionFailed(codec, _)? = error as? RecordBatchError { return true }
            return false
        }
    }

    /// The records of a batch, compressed with `codec`.
    private func payload(_ records: [Record], _ codec: CompressionCodec) throws -> [UInt8] {
        let bytes = try BatchMaking.encode(records, with: codec).bytes
        return try #require(bytes.getBytes(at: 61, length: bytes.readableBytes - 61))
    }

    @Test(arguments: [CompressionCodec.gzip, .lz4, .zstd]) func framesAfterEachOtherAreOneStream(
        _ codec: CompressionCodec
    ) throws {
        let value = ByteBuffer(string: "value")
        let one = try payload([Record(offset: 0, timestamp: 0, key: nil, value: value)], codec)
        let two = try EncodedBatch(validating: BatchMaking.batch(codec: codec.rawValue, records: one + one, count: 2))
        #expect(try two.records().map(\.value) == [value, value])
        // What follows a frame without being one is damage.
        let trailing = BatchMaking.batch(codec: codec.rawValue, records: one + [1, 2, 3, 4, 5, 6, 7, 8])
        let batch = try EncodedBatch(validating: trailing)
        #expect(throws: RecordBatchError.self) { try batch.records() }
    }

    /// Found by `scripts/fuzz zstd`: libzstd reads what came before the standard, and takes 128 MiB for these bytes.
    @Test func zstdFramesFromBeforeTheStandardAreRefused() throws {
        let old: [UInt8] = [0x26, 0xB5, 0x2F, 0xFD, 0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        let value = ByteBuffer(string: "value")
        let frame = try payload([Record(offset: 0, timestamp: 0, key: nil, value: value)], .zstd)
        for bytes in [old, frame + old] {
            let batch = try EncodedBatch(validating: BatchMaking.batch(codec: 4, records: bytes))
            #expect(throws: RecordBatchError.decompressionFailed(.zstd, reason: "no frame begins where one should")) {
                try batch.records()
            }
        }
        // Frames to be skipped are part of the standard.
        let skipped: [UInt8] = [0x5A, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 7, 7]
        let batch = try EncodedBatch(validating: BatchMaking.batch(codec: 4, records: skipped + frame))
        #expect(try batch.records().map(\.value) == [value])
    }

    @Test func rawSnappyIsRead() throws {
        // One literal of the seven bytes of an empty record: length 7, tag (7 - 1) << 2.
        let raw: [UInt8] = [7, 24, 12, 0, 0, 0, 1, 1, 0]
        let batch = try EncodedBatch(validating: BatchMaking.batch(codec: 2, records: raw))
        #expect(try batch.records() == [Record(offset: 0, timestamp: 1000, key: nil, value: nil)])
    }

    @Test func manyThreadsShareTheContexts() async throws {
        var generator = SeededGenerator()
        let records = BatchMaking.records(50, &generator)
        try await withThrowingTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<20 {
                        let codec = CompressionCodec.allCases[(task + round) % CompressionCodec.allCases.count]
                        let batch = try BatchMaking.encode(records, with: codec)
                        #expect(try batch.records() == records)
                        #expect(try batch.visitedRecords() == records)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func codecsHaveKafkasNames() {
        #expect(CompressionCodec.allCases.map(\.description) == ["none", "gzip", "snappy", "lz4", "zstd"])
        #expect(CompressionCodec(name: "lz4") == .lz4)
        #expect(CompressionCodec(name: "lzma") == nil)
    }
}
