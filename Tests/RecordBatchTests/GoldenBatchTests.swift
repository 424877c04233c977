import FoundationEssentials
import NIOCore
import RecordBatch
import Testing

/// Batches made by kafka-python (`Fixtures/make_golden.py`), with what they hold.
@Suite struct GoldenBatchTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        var name: String
        var codec: CompressionCodec
        var producerID: Int64 = -1
        var producerEpoch: Int16 = -1
        var baseSequence: Int32 = -1
        var isTransactional = false
        var baseOffset: Offset = 0
        var records: [Record] = []
        var bytes = ByteBuffer()

        var testDescription: String { name }
    }

    static let all: [Golden] = {
        do {
            return try load()
        } catch {
            fatalError("golden-batches.txt: \(error)")
        }
    }()

    @Test func everyCodecIsAmongThem() {
        #expect(Set(Self.all.map(\.codec)) == Set(CompressionCodec.allCases))
        #expect(Self.all.count == 12)
    }

    @Test(arguments: all) func isDecoded(_ golden: Golden) throws {
        let batch = try EncodedBatch(validating: golden.bytes)
        #expect(batch.header.compression == golden.codec)
        #expect(batch.header.baseOffset == golden.baseOffset)
        #expect(batch.header.nextOffset == golden.baseOffset.advanced(by: Int64(golden.records.count)))
        #expect(batch.header.offsetsAreConsecutive)
        #expect(batch.header.producerID == golden.producerID)
        #expect(batch.header.producerEpoch == golden.producerEpoch)
        #expect(batch.header.baseSequence == golden.baseSequence)
        #expect(batch.header.isTransactional == golden.isTransactional)
        #expect(!batch.header.isControl)
        #expect(batch.header.maxTimestamp == golden.records.map(\.timestamp).max())
        #expect(try batch.records() == golden.records)
        #expect(try batch.visitedRecords() == golden.records)
    }

    @Test(arguments: all) func isEncodedToTheSameBytesWhereNothingIsCompressed(_ golden: Golden) throws {
        var builder = RecordBatchBuilder(
            compression: golden.codec, producerID: golden.producerID, producerEpoch: golden.producerEpoch,
            baseSequence: golden.baseSequence, isTransactional: golden.isTransactional)
        for record in golden.records {
            builder.append(timestamp: record.timestamp, key: record.key, value: record.value, headers: record.headers)
        }
        var batch = try builder.finish()
        batch.assign(baseOffset: golden.baseOffset, leaderEpoch: 0)
        #expect(try batch.records() == golden.records)
        if golden.codec == .none {
            #expect(batch.bytes == golden.bytes)
        }
    }

    @Test func snappyHasTheLayoutOfKafkasClient() throws {
        let golden = try #require(Self.all.first { $0.name == "large-snappy" })
        let ours = try BatchMaking.encode(golden.records, with: .snappy).bytes
        #expect(ours.getBytes(at: 61, length: 16) == golden.bytes.getBytes(at: 61, length: 16))
        // Blocks of 32 KiB: each begins with its uncompressed length, 0x8000, as snappy writes it.
        #expect(ours.getBytes(at: 81, length: 3) == [0x80, 0x80, 0x02])
    }

    // MARK: Reading the fixture

    private struct BadFixture: Error {
        let line: Substring
    }

    private static func load() throws -> [Golden] {
        let directory = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let path = directory.joined(separator: "/") + "/Fixtures/golden-batches.txt"
        var all: [Golden] = []
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            var fields = line.split(separator: " ")
            let kind = fields.removeFirst()
            if kind == "#" { continue }
            if kind == "batch" {
                guard fields.count == 2, let codec = CompressionCodec(name: fields[1]) else {
                    throw BadFixture(line: line)
                }
                all.append(Golden(name: String(fields[0]), codec: codec))
                continue
            }
            guard var golden = all.popLast() else { throw BadFixture(line: line) }
            switch kind {
            case "producer":
                golden.producerID = Int64(fields[0]) ?? 0
                golden.producerEpoch = Int16(fields[1]) ?? 0
                golden.baseSequence = Int32(fields[2]) ?? 0
                golden.isTransactional = fields[3] == "1"
            case "base":
                golden.baseOffset = Offset(Int64(fields[0]) ?? 0)
            case "record":
                golden.records.append(
                    Record(
                        offset: Offset(Int64(fields[0]) ?? 0), timestamp: Int64(fields[1]) ?? 0, key: field(fields[2]),
                        value: field(fields[3]),
                        headers: fields[4...].map { header in
                            let parts = header.split(separator: "=")
                            return RecordHeader(
                                key: String(decoding: unhex(parts[0]), as: UTF8.self), value: field(parts[1]))
                        }))
            case "bytes":
                golden.bytes = ByteBuffer(bytes: unhex(fields[0]))
            default:
                throw BadFixture(line: line)
            }
            all.append(golden)
        }
        return all
    }

    private static func field(_ text: Substring) -> ByteBuffer? {
        if text == "null" { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = unhex(parts[1])
        let count = parts.count > 2 ? Int(parts[2]) ?? 0 : 1
        return ByteBuffer(bytes: (0..<count).flatMap { _ in bytes })
    }

    private static func unhex(_ text: Substring) -> [UInt8] {
        let digits = text.utf8.map {
            UInt8($0 < UInt8(ascii: "a") ? $0 - UInt8(ascii: "0") : $0 - UInt8(ascii: "a") + 10)
        }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
