import NIOCore
import RecordBatch
import TestKit

/// Batches put together by hand, right or wrong, and random ones.
enum BatchMaking {
    /// A batch around any payload, with a CRC that fits.
    static func batch(
        codec: UInt8 = 0, records payload: some Sequence<UInt8>, count: Int32 = 1, lastOffsetDelta: Int32? = nil
    ) -> ByteBuffer {
        let payload = Array(payload)
        var covered = ByteBuffer()
        covered.writeInteger(Int16(codec))
        covered.writeInteger(lastOffsetDelta ?? max(0, count - 1))
        covered.writeInteger(1_000 as Int64)
        covered.writeInteger(1_000 as Int64)
        covered.writeInteger(-1 as Int64)
        covered.writeInteger(-1 as Int16)
        covered.writeInteger(-1 as Int32)
        covered.writeInteger(count)
        covered.writeBytes(payload)
        var batch = ByteBuffer()
        batch.writeInteger(0 as Int64)
        batch.writeInteger(Int32(covered.readableBytes + 9))
        batch.writeInteger(-1 as Int32)
        batch.writeInteger(2 as Int8)
        batch.writeInteger(CRC32C.checksum(covered))
        batch.writeBuffer(&covered)
        return batch
    }

    /// The batch with its CRC made to fit its bytes.
    static func withRightChecksum(_ batch: ByteBuffer) -> ByteBuffer {
        var batch = batch
        batch.setInteger(
            CRC32C.checksum(batch.getSlice(at: 21, length: batch.readableBytes - 21) ?? ByteBuffer()), at: 17)
        return batch
    }

    static func bytes(_ count: Int, _ generator: inout some RandomNumberGenerator) -> ByteBuffer {
        // Few different bytes, so that compression finds something.
        ByteBuffer(bytes: (0..<count).map { _ in UInt8.random(in: 0..<8, using: &generator) })
    }

    static func records(
        _ count: Int, absurdTimestamps: Bool = false, _ generator: inout some RandomNumberGenerator
    ) -> [Record] {
        (0..<count).map { index in
            func field() -> ByteBuffer? {
                switch Int.random(in: 0..<8, using: &generator) {
                case 0: nil
                case 1: ByteBuffer()
                case 2: bytes(Int.random(in: 0..<5000, using: &generator), &generator)
                default: bytes(Int.random(in: 0..<100, using: &generator), &generator)
                }
            }
            let headers = (0..<max(0, Int.random(in: -4..<4, using: &generator))).map {
                RecordHeader(key: "header-\($0)-ö", value: field())
            }
            return Record(
                offset: Offset(Int64(index)),
                timestamp: absurdTimestamps
                    ? Int64.random(in: .min ... .max, using: &generator)
                    : 1_700_000_000_000 + Int64.random(in: -100_000...100_000, using: &generator),
                key: field(), value: field(), headers: headers)
        }
    }

    static func encode(_ records: [Record], with codec: CompressionCodec = .none) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(compression: codec)
        for record in records {
            builder.append(timestamp: record.timestamp, key: record.key, value: record.value, headers: record.headers)
        }
        return try builder.finish()
    }
}

extension EncodedBatch {
    /// The records as `forEachRecord` gives them.
    func visitedRecords() throws -> [Record] {
        var records: [Record] = []
        try forEachRecord { view in
            records.append(
                Record(
                    offset: view.offset, timestamp: view.timestamp, key: view.key.map { ByteBuffer(bytes: $0) },
                    value: view.value.map { ByteBuffer(bytes: $0) },
                    headers: view.headers.map { header in
                        RecordHeader(
                            key: String(decoding: header.key, as: UTF8.self),
                            value: header.value.map { ByteBuffer(bytes: $0) })
                    }))
        }
        return records
    }
}
