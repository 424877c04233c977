import NIOCore
import RecordBatch
import TestKit
import Testing

/// Bytes from others: whatever they are, decoding them gives records or an error.
@Suite struct DamagedBatchTests {
    private func small(_ codec: CompressionCodec) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(compression: codec)
        builder.append(timestamp: 1_700_000_000_000, key: ByteBuffer(string: "key"), value: ByteBuffer(string: "value"))
        builder.append(
            timestamp: 1_700_000_000_001, key: nil, value: ByteBuffer(repeating: 9, count: 90),
            headers: [RecordHeader(key: "h", value: ByteBuffer(string: "v"))])
        return try builder.finish()
    }

    @Test(arguments: CompressionCodec.allCases) func everyTruncationIsAnError(_ codec: CompressionCodec) throws {
        let bytes = try small(codec).bytes
        for length in 0..<bytes.readableBytes {
            let part = try #require(bytes.getSlice(at: 0, length: length))
            #expect(throws: RecordBatchError.self) { try EncodedBatch(validating: part) }
        }
        var longer = bytes
        longer.writeInteger(0 as UInt8)
        #expect(throws: RecordBatchError.trailingBytes(1)) { try EncodedBatch(validating: longer) }
    }

    @Test(arguments: CompressionCodec.allCases) func everyBitFlipUnderTheChecksumIsAnError(
        _ codec: CompressionCodec
    ) throws {
        let batch = try small(codec)
        for byte in 0..<batch.bytes.readableBytes {
            for bit in 0..<8 {
                var bytes = batch.bytes
                let old: UInt8 = try #require(bytes.getInteger(at: byte))
                bytes.setInteger(old ^ (1 << bit), at: byte)
                if byte < 8 || (12..<16).contains(byte) {
                    // Base offset and leader epoch are the broker's to set.
                    #expect(throws: Never.self) { try EncodedBatch(validating: bytes) }
                } else {
                    #expect(throws: RecordBatchError.self) { try EncodedBatch(validating: bytes) }
                }
            }
        }
    }

    @Test(arguments: CompressionCodec.allCases) func everyTruncationUnderARightChecksumIsAnError(
        _ codec: CompressionCodec
    ) throws {
        let whole = try small(codec).bytes
        let payload = try #require(whole.getBytes(at: 61, length: whole.readableBytes - 61))
        for length in 0..<payload.count {
            let bytes = BatchMaking.batch(codec: codec.rawValue, records: payload.prefix(length), count: 2)
            let batch = try EncodedBatch(validating: bytes)
            #expect(throws: RecordBatchError.self, "\(length) bytes") { try batch.records() }
            #expect(throws: RecordBatchError.self, "\(length) bytes") { try batch.forEachRecord { _ in } }
        }
    }

    @Test(arguments: CompressionCodec.allCases) func randomDamageUnderARightChecksumNeverTraps(
        _ codec: CompressionCodec
    ) throws {
        var generator = SeededGenerator()
        let original = try BatchMaking.encode(BatchMaking.records(10, &generator), with: codec).bytes
        for _ in 0..<1500 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                // From the attributes on, with a preference for the beginnings of things.
                let last = Bool.random(using: &generator) ? bytes.readableBytes : min(bytes.readableBytes, 90)
                bytes.setInteger(
                    UInt8.random(in: 0...255, using: &generator), at: Int.random(in: 21..<last, using: &generator))
            }
            decodeAnyhow(BatchMaking.withRightChecksum(bytes))
        }
    }

    @Test func randomBytesNeverTrap() throws {
        var generator = SeededGenerator()
        for _ in 0..<3000 {
            let count = Int.random(in: 0...200, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(throws: RecordBatchError.self) { try EncodedBatch(validating: ByteBuffer(bytes: bytes)) }
            _ = try? EncodedBatch.split(ByteBuffer(bytes: bytes))
            _ = try? RecordBatchHeader.walk(ByteBuffer(bytes: bytes)) { _, _ in true }
            for codec in 0..<8 as Range<UInt8> {
                decodeAnyhow(
                    BatchMaking.batch(
                        codec: codec, records: bytes, count: Int32.random(in: 0...3, using: &generator)))
            }
        }
    }

    /// Both ways of decoding must agree, whatever comes of it.
    private func decodeAnyhow(_ bytes: ByteBuffer) {
        guard let batch = try? EncodedBatch(validating: bytes) else { return }
        let records = try? batch.records(maximumDecompressedBytes: 1 << 20)
        var visited = 0
        let visitedAll: Void? = try? batch.forEachRecord(maximumDecompressedBytes: 1 << 20) { record in
            visited += 1
            for header in record.headers { _ = header.key.count }
        }
        #expect((records == nil) == (visitedAll == nil))
        if let records { #expect(records.count == visited) }
    }

    @Test func alienFormatsAreNamed() throws {
        var bytes = try small(.none).bytes
        bytes.setInteger(1 as Int8, at: 16)
        #expect(throws: RecordBatchError.unsupportedMagic(1)) { try EncodedBatch(validating: bytes) }
        // A whole legacy message is shorter than a batch header.
        let short = try #require(bytes.getSlice(at: 0, length: 34))
        #expect(throws: RecordBatchError.unsupportedMagic(1)) { try EncodedBatch(validating: short) }
        let unknown = try EncodedBatch(validating: BatchMaking.batch(codec: 6, records: []))
        #expect(throws: RecordBatchError.unknownCompression(6)) { try unknown.records() }
    }

    @Test func impossibleHeadersAreErrors() throws {
        #expect(throws: RecordBatchError.invalidField("record count", -1)) {
            try EncodedBatch(validating: BatchMaking.batch(records: [], count: -1))
        }
        #expect(throws: RecordBatchError.invalidField("last offset delta", -5)) {
            try EncodedBatch(validating: BatchMaking.batch(records: [], lastOffsetDelta: -5))
        }
        var bytes = try small(.none).bytes
        bytes.setInteger(48 as Int32, at: 8)
        #expect(throws: RecordBatchError.invalidLength(48)) { try EncodedBatch(validating: bytes) }
    }

    /// One record of a batch, by its bytes, and what is wrong with it.
    static let malformed: [([UInt8], RecordDamage)] = [
        ([14, 0, 0, 0, 1, 1], .lengthBeyondRecord),
        ([10, 0, 0, 0, 1, 1], .endsEarly),
        ([14, 0, 0, 0, 1, 1, 0, 9], .lengthMismatch),
        ([12, 0, 0, 0, 1, 1, 0, 9], .bytesAfterLast),
        ([1], .negativeLength),
        ([12, 0, 0, 0, 3, 1, 0], .negativeLength),
        ([12, 0, 0, 0, 1, 1, 1], .negativeLength),
        ([12, 0, 0, 0, 6, 1, 0], .lengthBeyondRecord),
        ([14, 0, 0, 0, 1, 1, 2, 4], .lengthBeyondRecord),
        ([200], .endsEarly),
        ([200, 1], .lengthBeyondRecord),
        ([0xff, 0xff, 0xff, 0xff, 0xff, 0x01], .varintTooLong),
        ([26, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0], .varintTooLong),
    ]

    @Test(arguments: malformed) func malformedRecordsAreNamed(_ bytes: [UInt8], _ damage: RecordDamage) throws {
        let batch = try EncodedBatch(validating: BatchMaking.batch(records: bytes))
        let index = damage == .bytesAfterLast ? 1 : 0
        #expect(throws: RecordBatchError.malformedRecord(index: index, reason: damage)) { try batch.records() }
    }

    @Test func aRecordCountThatLiesReservesNothing() throws {
        let record: [UInt8] = [12, 0, 0, 0, 1, 1, 0]
        let batch = try EncodedBatch(validating: BatchMaking.batch(records: record, count: .max))
        #expect(throws: RecordBatchError.malformedRecord(index: 1, reason: .endsEarly)) { try batch.records() }
    }

    @Test func offsetsBeyondTheEndAreErrors() throws {
        var bytes = BatchMaking.batch(records: [12, 0, 0, 2, 1, 1, 0])
        bytes.setInteger(Int64.max, at: 0)
        let batch = try EncodedBatch(validating: bytes)
        #expect(batch.header.nextOffset == Offset(.max))
        #expect(throws: RecordBatchError.malformedRecord(index: 0, reason: .offsetOverflow)) { try batch.records() }
    }
}
