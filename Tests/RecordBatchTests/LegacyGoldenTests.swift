import NIOCore
import Testing

@testable import RecordBatch

/// Message sets of formats 0 and 1, as kafka-python writes and reads them.
@Suite struct LegacyGoldenTests {
    @Test func everyFormatAndCodecIsAmongThem() {
        for format in LegacyMessageFormat.allCases {
            let codecs = LegacyGolden.all.filter { $0.format == format }.map(\.codec)
            #expect(Set(codecs) == [.none, .gzip, .snappy, .lz4])
        }
        #expect(LegacyGolden.all.count == 28)
    }

    @Test(arguments: LegacyGolden.all) func isDecoded(_ golden: LegacyGolden) throws {
        #expect(LegacyMessageSet.magic(of: golden.bytes) == golden.format.rawValue)
        #expect(LegacyMessageSet.compression(of: golden.bytes) == golden.codec)
        #expect(try LegacyMessageSet.records(in: golden.bytes) == golden.records)
        try LegacyMessageSet.forEachMessage(in: golden.bytes) { message in
            #expect(message.format == golden.format)
            #expect(message.isLogAppendTime == golden.hasAppendTime)
        }
    }

    @Test(arguments: LegacyGolden.all) func becomesOneBatch(_ golden: LegacyGolden) throws {
        let batch = try #require(try EncodedBatch.converting(messageSet: golden.bytes))
        #expect(try EncodedBatch(validating: batch.bytes) == batch)
        #expect(batch.header.compression == golden.codec)
        #expect(batch.header.baseOffset == 0)
        #expect(batch.header.offsetsAreConsecutive)
        #expect(!batch.header.hasProducerID)
        #expect(batch.header.maxTimestamp == golden.records.map(\.timestamp).max())
        let expected = golden.records.enumerated().map { index, record in
            Record(offset: Offset(Int64(index)), timestamp: record.timestamp, key: record.key, value: record.value)
        }
        #expect(try batch.records() == expected)

        let plain = try #require(try EncodedBatch.converting(messageSet: golden.bytes, compression: .zstd))
        #expect(plain.header.compression == .zstd)
        #expect(try plain.records() == expected)
    }

    @Test(arguments: LegacyGolden.all.filter { $0.codec == .none })
    func isWrittenToTheSameBytes(_ golden: LegacyGolden) throws {
        var batches = ByteBuffer()
        for record in golden.records {
            var batch = try BatchMaking.encode([record])
            batch.assign(baseOffset: record.offset, leaderEpoch: 0)
            if golden.hasAppendTime { batch.setLogAppendTime(record.timestamp) }
            batches.writeImmutableBuffer(batch.bytes)
        }
        let first = try #require(golden.records.first)
        let last = try #require(golden.records.last)
        var writer = LegacyMessageSetWriter(format: golden.format, from: first.offset, maximumBytes: .max)
        try writer.append(batches)
        #expect(writer.bytes == golden.bytes)
        #expect(writer.nextOffset == last.offset.advanced(by: 1))
    }

    @Test func format0HasTheWrongChecksumInLZ4Frames() throws {
        let golden = try #require(LegacyGolden.all.first { $0.name == "produced-lz4-0" })
        // Behind offset, size, CRC, magic, attributes, and the lengths of key and value.
        let frame = try #require(golden.bytes.getSlice(at: 26, length: golden.bytes.readableBytes - 26))
        var output = ByteBuffer()
        #expect(throws: RecordBatchError.self) {
            try frame.withUnsafeReadableBytes {
                try Decompression.decompress($0, with: .lz4, into: &output, maximumBytes: 1 << 20)
            }
        }
        let repaired = try #require(frame.withUnsafeReadableBytes { LegacyLZ4Frame.withRightHeaderChecksum($0) })
        output = ByteBuffer()
        try repaired.withUnsafeReadableBytes {
            try Decompression.decompress($0, with: .lz4, into: &output, maximumBytes: 1 << 20)
        }
        #expect(output.readableBytes > 8192)
        #expect(repaired.withUnsafeReadableBytes { LegacyLZ4Frame.withRightHeaderChecksum($0) } == nil)
    }

    /// The reference values of XXH32 with seed 0.
    @Test func hashesAsTheSpecificationOfXXH32Says() {
        func hash(_ text: String) -> UInt32 {
            Array(text.utf8).withUnsafeBytes { LegacyLZ4Frame.shortHash($0) }
        }
        #expect(hash("") == 0x02CC_5D05)
        #expect(hash("a") == 0x550D_7456)
        #expect(hash("abc") == 0x32D1_53FF)
        #expect(hash("abcdefghijklmn") == 0x684D_3123)
    }

    @Test func checksumsAsZlibDoes() {
        #expect(Array("123456789".utf8).withUnsafeBytes { CRC32.checksum($0) } == 0xCBF4_3926)
        #expect(CRC32.checksum(UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
    }
}
