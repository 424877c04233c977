import NIOCore
import RecordBatch
import TestKit
import Testing

@Suite struct EncodedBatchTests {
    private func batch(_ texts: String..., codec: CompressionCodec = .none) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(compression: codec)
        for text in texts { builder.append(timestamp: 1000, key: nil, value: ByteBuffer(string: text)) }
        return try builder.finish()
    }

    @Test func assigningAnOffsetKeepsTheChecksumValid() throws {
        var one = try batch("a", "b", codec: .zstd)
        let original = one
        one.assign(baseOffset: Offset(1 << 40), leaderEpoch: 7)
        let again = try EncodedBatch(validating: one.bytes)
        #expect(again == one)
        #expect(again.header.baseOffset == Offset(1 << 40))
        #expect(again.header.partitionLeaderEpoch == 7)
        #expect(again.header.crc == original.header.crc)
        #expect(try again.records().map(\.offset) == [Offset(1 << 40), Offset(1 << 40 + 1)])
        // A copy made before is left alone.
        #expect(original.header.baseOffset == 0)
        #expect(try EncodedBatch(validating: original.bytes) == original)
    }

    @Test func stampingAProducerSetsAChecksumThatFits() throws {
        var one = try batch("a", "b", "c", codec: .lz4)
        #expect(!one.header.hasProducerID)
        #expect(one.header.lastSequence == -1)
        one.stamp(producerID: 12_345_678_901, producerEpoch: 9, baseSequence: .max)
        let again = try EncodedBatch(validating: one.bytes)
        #expect(again == one)
        #expect(again.header.producerID == 12_345_678_901)
        #expect(again.header.producerEpoch == 9)
        #expect(again.header.baseSequence == .max)
        #expect(again.header.lastSequence == 1)
        #expect(try again.records().count == 3)
    }

    @Test func logAppendTimeIsEveryRecordsTime() throws {
        var one = try batch("a", "b")
        one.setLogAppendTime(5_000)
        let again = try EncodedBatch(validating: one.bytes)
        #expect(again.header.isLogAppendTime)
        #expect(try again.records().map(\.timestamp) == [5_000, 5_000])
    }

    @Test func aFetchResponseIsSplitIntoItsWholeBatches() throws {
        let batches = [try batch("a"), try batch("b", "c", codec: .gzip), try batch("d", codec: .snappy)]
        var joined = ByteBuffer(bytes: [1, 2, 3])
        joined.moveReaderIndex(forwardBy: 3)
        for one in batches { joined.writeImmutableBuffer(one.bytes) }
        let boundaries = batches.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.bytes.readableBytes) }
        for length in 0...joined.readableBytes {
            let part = try #require(joined.getSlice(at: joined.readerIndex, length: length))
            let (whole, trailing) = try EncodedBatch.split(part)
            let expected = boundaries.filter { $0 <= length }.count - 1
            #expect(whole == Array(batches.prefix(expected)))
            #expect(trailing == length - boundaries[expected])

            var visited: [RecordBatchHeader] = []
            let rest = try RecordBatchHeader.walk(part) { header, index in
                #expect(index == part.readerIndex + boundaries[visited.count])
                visited.append(header)
                return true
            }
            #expect(visited == batches.prefix(expected).map(\.header))
            #expect(rest == trailing)
        }
        var corrupt = joined
        corrupt.setInteger(0xff as UInt8, at: joined.readerIndex + boundaries[2] - 1)
        #expect(throws: RecordBatchError.self) { try EncodedBatch.split(corrupt) }
        #expect(try EncodedBatch.split(corrupt, verifyingChecksums: false).whole.count == 3)
    }

    @Test func headersAreFoundByName() throws {
        var builder = RecordBatchBuilder()
        builder.append(
            timestamp: 0, key: nil, value: nil,
            headers: [
                RecordHeader(key: "weir-epoch", value: ByteBuffer(string: "1")),
                RecordHeader(key: "weir", value: nil),
                RecordHeader(key: "weir-sequence", value: ByteBuffer(string: "42")),
            ])
        try builder.finish().forEachRecord { record in
            let sequence = try #require(record.headers.first(named: "weir-sequence")?.value)
            #expect(String(decoding: sequence, as: UTF8.self) == "42")
            let weir = try #require(record.headers.first(named: "weir"))
            #expect(weir.value == nil)
            #expect(record.headers.first(named: "wei") == nil)
            #expect(record.headers.count == 3)
            #expect(record.value == nil)
        }
    }

    @Test func offsetsSaturate() {
        #expect(Offset(.max).advanced(by: 1) == Offset(.max))
        #expect(Offset(.min).advanced(by: -1) == Offset(.min))
        #expect(Offset(.max) - Offset(.min) == .max)
        #expect(Offset(.min) - Offset(.max) == .min)
        #expect(Offset(5) - 3 == 2)
    }
}
