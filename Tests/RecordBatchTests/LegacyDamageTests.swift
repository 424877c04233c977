import NIOCore
import TestKit
import Testing

@testable import RecordBatch

/// Bytes from others: whatever they are, decoding them gives messages or an error, within the limit.
@Suite struct LegacyDamageTests {
    @Test(arguments: LegacyGolden.all) func cutOffAtAnyByteIsAnError(_ golden: LegacyGolden) throws {
        var ends: Set<Int> = [0]
        var index = 0
        while let size = golden.bytes.getInteger(at: index + 8, as: Int32.self) {
            index += 12 + Int(size)
            ends.insert(index)
        }
        for length in 0..<golden.bytes.readableBytes where !ends.contains(length) {
            let part = try #require(golden.bytes.getSlice(at: 0, length: length))
            var seen = 0
            #expect(throws: LegacyMessageError.self) {
                try LegacyMessageSet.forEachMessage(in: part) { _ in seen += 1 }
            }
            #expect(seen < golden.records.count)
        }
    }

    @Test(arguments: LegacyGolden.all) func cutOffInsideAWrapperIsAnError(_ golden: LegacyGolden) throws {
        guard golden.codec == .none else { return }
        let whole = golden.bytes
        for length in stride(from: 1, to: 400, by: 1) {
            let part = try #require(whole.getSlice(at: 0, length: length))
            let isWhole = (try? LegacyMessageSet.records(in: part)) != nil
            let wrapper = try LegacyMaking.wrapper(part, codec: .lz4, format: golden.format.rawValue)
            #expect(((try? LegacyMessageSet.records(in: wrapper)) != nil) == isWhole)
        }
    }

    @Test(arguments: LegacyGolden.all) func everyBitFlipUnderTheChecksumIsAnError(_ golden: LegacyGolden) throws {
        let count = min(golden.bytes.readableBytes, 300)
        for byte in 8..<count {
            var bytes = golden.bytes
            let old: UInt8 = try #require(bytes.getInteger(at: byte))
            bytes.setInteger(old ^ (1 << (byte % 8)), at: byte)
            // The CRC does not cover offsets, and those of further messages lie in between.
            let records = try? LegacyMessageSet.records(in: bytes)
            #expect(records.map { $0.map(\.value) != golden.records.map(\.value) } != true, "byte \(byte)")
        }
    }

    @Test(arguments: LegacyGolden.all) func mutationsUnderARightChecksumAreMessagesOrAnError(
        _ golden: LegacyGolden
    ) throws {
        var random = SeededGenerator(for: "mutated \(golden.name)")
        let count = golden.bytes.readableBytes
        for round in 0..<300 {
            var bytes = golden.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                // The first bytes decide most.
                let index = Int.random(in: 0..<(round % 2 == 0 ? min(count, 64) : count), using: &random)
                let value: UInt8 =
                    [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)]
                    .randomElement(using: &random) ?? 0
                bytes.setInteger(value, at: index)
            }
            try checkAnything(LegacyMaking.withRightChecksums(bytes))
        }
    }

    @Test func randomBytesInsideWrappersAreMessagesOrAnError() throws {
        var random = SeededGenerator()
        let plain = LegacyGolden.all.filter { $0.codec == .none }
        for round in 0..<600 {
            let golden = try #require(plain.randomElement(using: &random))
            var inside = golden.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<min(inside.readableBytes, 200), using: &random)
                inside.setInteger(UInt8.random(in: 0...255, using: &random), at: index)
            }
            if round % 3 == 0 { inside = BatchMaking.bytes(Int.random(in: 0...100, using: &random), &random) }
            if round % 3 == 1 { inside = LegacyMaking.withRightChecksums(inside) }
            let codec: CompressionCodec = [.gzip, .snappy, .lz4].randomElement(using: &random) ?? .gzip
            try checkAnything(try LegacyMaking.wrapper(inside, codec: codec, format: golden.format.rawValue))
        }
    }

    /// Reads and converts; both succeed or both fail, and the batch is a right one with as many records.
    private func checkAnything(_ set: ByteBuffer) throws {
        let limit = 1 << 20
        let records = try? LegacyMessageSet.records(in: set, maximumDecompressedBytes: limit)
        let batch = try? EncodedBatch.converting(messageSet: set, maximumDecompressedBytes: limit)
        #expect(records?.count ?? 0 == Int(batch?.header.recordCount ?? 0))
        guard let batch else { return }
        #expect(try EncodedBatch(validating: batch.bytes).records().map(\.value) == records?.map(\.value))
    }

    // MARK: Bombs

    @Test(arguments: [CompressionCodec.gzip, .snappy, .lz4]) func aBombStopsAtTheLimit(_ codec: CompressionCodec) throws
    {
        let limit = 1 << 20
        let error = LegacyMessageError(
            position: 0, damage: .compression(.decompressedTooLarge(codec, limit: limit)))
        for format: Int8 in [0, 1] {
            let message = LegacyMaking.message(format: format, value: ByteBuffer(repeating: 0, count: 8 << 20))
            let bomb = try LegacyMaking.wrapper(message, codec: codec, format: format)
            #expect(bomb.readableBytes < 1 << 20)
            #expect(throws: error) { try LegacyMessageSet.records(in: bomb, maximumDecompressedBytes: limit) }
            #expect(throws: error) {
                try EncodedBatch.converting(messageSet: bomb, maximumDecompressedBytes: limit)
            }
            #expect(try LegacyMessageSet.records(in: bomb).count == 1)
        }
    }

    @Test func theLimitIsOneForAllWrappersTogether() throws {
        let message = LegacyMaking.message(value: ByteBuffer(repeating: 0, count: 100_000))
        let wrapper = try LegacyMaking.wrapper(message)
        let set = LegacyMaking.set(Array(repeating: wrapper, count: 20))
        let each = message.readableBytes
        #expect(try LegacyMessageSet.records(in: set, maximumDecompressedBytes: 20 * each).count == 20)
        let limit = 20 * each - 1
        #expect(
            throws: LegacyMessageError(
                position: 19 * wrapper.readableBytes,
                damage: .compression(.decompressedTooLarge(.gzip, limit: each - 1)))
        ) { try LegacyMessageSet.records(in: set, maximumDecompressedBytes: limit) }
        // The same inside one wrapper more.
        let outer = try LegacyMaking.wrapper(set, codec: .snappy)
        #expect(
            try LegacyMessageSet.records(in: outer, maximumDecompressedBytes: 20 * each + set.readableBytes).count == 20
        )
        #expect(throws: LegacyMessageError.self) {
            try LegacyMessageSet.records(in: outer, maximumDecompressedBytes: limit + set.readableBytes)
        }
        #expect(throws: LegacyMessageError.self) {
            try LegacyMessageSet.records(in: wrapper, maximumDecompressedBytes: -1)
        }
    }

    @Test func manySmallMessagesTakeNoMoreThanTheirBytes() throws {
        // The smallest message over and over; a batch of them is smaller than the set.
        let count = 50_000
        let smallest = LegacyMaking.message(format: 0)
        #expect(smallest.readableBytes == 26)
        var set = ByteBuffer()
        for _ in 0..<count { set.writeImmutableBuffer(smallest) }
        let bomb = try LegacyMaking.wrapper(set, format: 0)
        #expect(bomb.readableBytes < set.readableBytes / 100)
        let batch = try #require(try EncodedBatch.converting(messageSet: bomb, compression: CompressionCodec.none))
        #expect(batch.header.recordCount == Int32(count))
        #expect(batch.bytes.readableBytes < set.readableBytes)
    }
}
