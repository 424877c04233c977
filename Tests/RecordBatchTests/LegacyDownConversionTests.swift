import NIOCore
import RecordBatch
import TestKit
import Testing

/// Record batches as old consumers get them.
@Suite struct LegacyDownConversionTests {
    /// What is left of records in a format: no headers, and no timestamps in format 0.
    private func expected(_ records: [Record], _ format: LegacyMessageFormat) -> [Record] {
        records.map { record in
            Record(
                offset: record.offset, timestamp: format == .v0 ? -1 : record.timestamp, key: record.key,
                value: record.value)
        }
    }

    /// A log of some batches: 30 records each, from offset 100 on.
    private func log(
        _ batches: Int, codec: CompressionCodec, _ random: inout SeededGenerator
    ) throws -> (bytes: ByteBuffer, records: [Record]) {
        var bytes = ByteBuffer()
        var records: [Record] = []
        for index in 0..<batches {
            let base = Int64(100 + 30 * index)
            let some = BatchMaking.records(30, &random)
            var batch = try BatchMaking.encode(some, with: codec)
            batch.assign(baseOffset: Offset(base), leaderEpoch: 3)
            bytes.writeImmutableBuffer(batch.bytes)
            records += some.map { record in
                var record = record
                record.offset = record.offset.advanced(by: base)
                return record
            }
        }
        return (bytes, records)
    }

    @Test(
        arguments: LegacyMessageFormat.allCases, [CompressionCodec.none, .gzip, .snappy, .lz4]
    ) func whatIsConvertedReadsAsTheSame(_ format: LegacyMessageFormat, _ codec: CompressionCodec) throws {
        var random = SeededGenerator()
        let log = try log(3, codec: codec, &random)
        var writer = LegacyMessageSetWriter(format: format, from: 0, maximumBytes: .max)
        try writer.append(log.bytes)
        #expect(try LegacyMessageSet.records(in: writer.bytes) == expected(log.records, format))
        #expect(writer.messageCount == 90)
        #expect(writer.nextOffset == 190)
        #expect(!writer.isFull)

        // And back into a batch, as a mirror of the old days would send it.
        let batch = try #require(try EncodedBatch.converting(messageSet: writer.bytes))
        #expect(try batch.records().map(\.value) == log.records.map(\.value))
    }

    @Test(arguments: LegacyMessageFormat.allCases) func aReaderGetsEachRecordOnceInPiecesWithinTheLimit(
        _ format: LegacyMessageFormat
    ) throws {
        var random = SeededGenerator()
        let log = try log(4, codec: .lz4, &random)
        var next: Offset = 115
        var read: [Record] = []
        var pieces = 0
        while next < 220 {
            var writer = LegacyMessageSetWriter(format: format, from: next, maximumBytes: 2_000)
            try writer.append(log.bytes)
            let piece = try LegacyMessageSet.records(in: writer.bytes)
            #expect(piece.count == writer.messageCount)
            #expect(writer.bytes.readableBytes <= 2_000 || piece.count == 1)
            #expect(writer.nextOffset > next)
            #expect(writer.isFull == (writer.nextOffset < 220))
            read += piece
            next = writer.nextOffset
            pieces += 1
        }
        #expect(read == expected(Array(log.records.dropFirst(15)), format))
        #expect(pieces > 3)
    }

    @Test func aFullSetTakesNoFurtherBatches() throws {
        var random = SeededGenerator()
        let log = try log(2, codec: .none, &random)
        var writer = LegacyMessageSetWriter(format: .v1, from: 100, maximumBytes: 0)
        try writer.append(log.bytes)
        #expect(writer.isFull)
        #expect(writer.messageCount == 1)
        let before = writer.bytes
        try writer.append(log.bytes)
        #expect(writer.bytes == before)
        #expect(writer.nextOffset == 101)
    }

    @Test func halfABatchAtTheEndIsLeftForTheNextTime() throws {
        var random = SeededGenerator()
        let log = try log(2, codec: .none, &random)
        let part = try #require(log.bytes.getSlice(at: 0, length: log.bytes.readableBytes - 1))
        var writer = LegacyMessageSetWriter(format: .v1, from: 100, maximumBytes: .max)
        try writer.append(part)
        #expect(writer.nextOffset == 130)
        #expect(writer.messageCount == 30)
    }

    @Test func controlBatchesAreLeftOutAndPassed() throws {
        var control = RecordBatchBuilder(isTransactional: true, isControl: true)
        control.append(
            timestamp: 0, key: ByteBuffer(bytes: [0, 0, 0, 1]), value: ByteBuffer(bytes: [0, 0, 0, 0, 0, 0]))
        var marker = try control.finish()
        marker.assign(baseOffset: 500, leaderEpoch: 0)
        var writer = LegacyMessageSetWriter(format: .v1, from: 500, maximumBytes: .max)
        try writer.append(marker.bytes)
        #expect(writer.bytes.readableBytes == 0)
        #expect(writer.nextOffset == 501)
    }

    @Test func zstdIsAnErrorOfItsOwnUnlessSomethingCouldBeReadBefore() throws {
        var random = SeededGenerator()
        let records = BatchMaking.records(2, &random)
        var zstd = try BatchMaking.encode(records, with: .zstd)
        zstd.assign(baseOffset: 130, leaderEpoch: 0)
        let error = LegacyConversionError.unsupportedCompression(.zstd, offset: 130)
        var writer = LegacyMessageSetWriter(format: .v0, from: 130, maximumBytes: .max)
        #expect(throws: error) { try writer.append(zstd.bytes) }
        #expect("\(error)".contains("zstd"))

        var log = try log(1, codec: .gzip, &random).bytes
        log.writeImmutableBuffer(zstd.bytes)
        writer = LegacyMessageSetWriter(format: .v0, from: 100, maximumBytes: .max)
        try writer.append(log)
        #expect(writer.messageCount == 30)
        #expect(writer.nextOffset == 130)
        #expect(writer.isFull)
        // The batch that a reader has passed does not matter to it.
        writer = LegacyMessageSetWriter(format: .v0, from: 132, maximumBytes: .max)
        try writer.append(zstd.bytes)
        #expect(writer.nextOffset == 132)
    }

    @Test func damageIsAnErrorThatSaysWhere() throws {
        var bomb = RecordBatchBuilder(compression: .gzip)
        bomb.append(timestamp: 0, key: nil, value: ByteBuffer(repeating: 0, count: 1 << 20))
        let batch = try bomb.finish().bytes
        var writer = LegacyMessageSetWriter(format: .v1, from: 0, maximumBytes: .max)
        #expect(
            throws: LegacyConversionError.damaged(.decompressedTooLarge(.gzip, limit: 1_000), offset: 0)
        ) { try writer.append(batch, maximumDecompressedBytes: 1_000) }
        #expect(throws: LegacyConversionError.damaged(.unknownCompression(6), offset: 0)) {
            try writer.append(BatchMaking.batch(codec: 6, records: [1, 2, 3]))
        }
        #expect(throws: LegacyConversionError.damaged(.unsupportedMagic(0), offset: 0)) {
            try writer.append(ByteBuffer(repeating: 0, count: 100))
        }
    }

    @Test func mutatedBatchesAreMessagesOrAnError() throws {
        var random = SeededGenerator()
        for codec: CompressionCodec in [.none, .lz4] {
            for _ in 0..<150 {
                let records = BatchMaking.records(4, absurdTimestamps: true, &random)
                var bytes = try BatchMaking.encode(records, with: codec).bytes
                for _ in 0..<3 {
                    bytes.setInteger(
                        UInt8.random(in: 0...255, using: &random),
                        at: Int.random(in: 0..<min(bytes.readableBytes, 100), using: &random))
                }
                var writer = LegacyMessageSetWriter(format: .v1, from: 0, maximumBytes: 1 << 20)
                try? writer.append(bytes, maximumDecompressedBytes: 1 << 20)
                #expect(try LegacyMessageSet.records(in: writer.bytes).count == writer.messageCount)
            }
        }
    }
}
