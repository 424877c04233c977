import NIOCore
import RecordBatch
import TestKit
import Testing

@Suite struct RoundTripTests {
    @Test(arguments: CompressionCodec.allCases) func randomRecordsComeBack(_ codec: CompressionCodec) throws {
        var generator = SeededGenerator()
        for _ in 0..<20 {
            let count = Int.random(in: 1...60, using: &generator)
            let records = BatchMaking.records(count, &generator)
            let batch = try BatchMaking.encode(records, with: codec)
            #expect(try EncodedBatch(validating: batch.bytes) == batch)
            #expect(try batch.records() == records)
            #expect(try batch.visitedRecords() == records)
            #expect(batch.header.recordCount == Int32(count))
            #expect(batch.header.baseTimestamp == records[0].timestamp)
            #expect(batch.header.maxTimestamp == records.map(\.timestamp).max())
        }
    }

    @Test func absurdTimestampsComeBack() throws {
        var generator = SeededGenerator()
        var records = BatchMaking.records(200, absurdTimestamps: true, &generator)
        records[3].timestamp = .min
        records[4].timestamp = .max
        #expect(try BatchMaking.encode(records).records() == records)
    }

    @Test func theBuilderStartsOverAfterEachBatch() throws {
        var generator = SeededGenerator()
        for codec in CompressionCodec.allCases {
            var builder = RecordBatchBuilder(compression: codec)
            for _ in 0..<3 {
                let records = BatchMaking.records(5, &generator)
                for record in records {
                    let before = builder.estimatedBytes
                    builder.append(
                        timestamp: record.timestamp, key: record.key, value: record.value, headers: record.headers)
                    let headerBytes = record.headers.reduce(0) {
                        $0 + $1.key.utf8.count + ($1.value?.readableBytes ?? 0)
                    }
                    let bound = RecordBatchBuilder.maximumRecordBytes(
                        key: record.key?.readableBytes ?? 0, value: record.value?.readableBytes ?? 0,
                        headers: headerBytes, headerCount: record.headers.count)
                    #expect(builder.estimatedBytes - before <= bound)
                }
                #expect(builder.count == 5)
                let estimate = builder.estimatedBytes
                let batch = try builder.finish()
                if codec == .none { #expect(batch.bytes.readableBytes == estimate) }
                #expect(try batch.records() == records)
                #expect(builder.isEmpty)
            }
        }
    }

    @Test func valuesBeyondSixteenMegabytesComeBack() throws {
        // ByteBuffer slices cannot begin that far into a buffer, so NIO copies them.
        let large = ByteBuffer(repeating: 7, count: 17 << 20)
        let small = ByteBuffer(string: "after")
        var builder = RecordBatchBuilder(compression: .lz4)
        builder.append(timestamp: 1, key: nil, value: large)
        builder.append(timestamp: 2, key: nil, value: small)
        let records = try builder.finish().records()
        #expect(records.map(\.value) == [large, small])
    }
}
