import Fuzzing
import NIOCore

@testable import RecordBatch

extension FuzzTarget {
    nonisolated(unsafe) private static var set = ByteBuffer()
    nonisolated(unsafe) private static var wrapped = ByteBuffer()

    /// Message sets (v0 and v1) and the batch that is made of them. The first byte says what is done to the set before:
    /// bit 0 gives each message its CRC, bits 1–2 wrap it so often, bits 3–4 choose how that is compressed.
    static let messageSet = FuzzTarget("message-set", maximumBytes: 256) { input in
        guard let choice = input.first else { return }
        set.clear()
        set.writeBytes(UnsafeRawBufferPointer(rebasing: input.dropFirst()))
        if choice & 1 == 1 { repair(&set) }
        let codec: CompressionCodec = [.snappy, .lz4, .gzip, .snappy][Int(choice >> 3 & 3)]
        for _ in 0..<Int(choice >> 1 & 3) { wrap(with: codec) }
        check(set)
    }

    private static func check(_ set: ByteBuffer) {
        let limit = BatchMaking.maximumDecompressedBytes
        var count = 0
        do throws(LegacyMessageError) {
            try LegacyMessageSet.forEachMessage(in: set, maximumDecompressedBytes: limit) { _ in count += 1 }
        } catch {
            promise(
                (try? EncodedBatch.converting(messageSet: set, compression: nil, maximumDecompressedBytes: limit))
                    == nil,
                "a batch of a set that cannot be read: \(error)")
            return
        }
        guard count > 0 else { return }
        let converted = try? EncodedBatch.converting(
            messageSet: set, compression: CompressionCodec.none, maximumDecompressedBytes: limit)
        guard let batch = converted, let records = try? EncodedBatch(validating: batch.bytes).records(),
            let messages = try? LegacyMessageSet.records(in: set, maximumDecompressedBytes: limit)
        else { broken("no batch of \(count) messages") }
        promise(records.count == count && messages.count == count, "\(records.count) records of \(count) messages")
        for (record, message) in zip(records, messages) {
            promise(
                record.key == message.key && record.value == message.value && record.timestamp == message.timestamp,
                "\(message) became \(record)")
        }
    }

    /// Gives every message that has its size the CRC that belongs to it.
    private static func repair(_ set: inout ByteBuffer) {
        set.withUnsafeMutableReadableBytes { bytes in
            var position = 0
            while let count = try? LegacyMessage.byteCount(at: UnsafeRawBufferPointer(rebasing: bytes[position...])),
                count > LegacyMessage.magicIndex
            {
                let covered = bytes[(position + LegacyMessage.magicIndex)..<(position + count)]
                let message = UnsafeMutableRawBufferPointer(rebasing: bytes[position..<(position + count)])
                message.setBigEndian(CRC32.checksum(UnsafeRawBufferPointer(rebasing: covered)), at: 12)
                position += count
            }
        }
    }

    /// Makes the set the value of one compressed message, in the format of its first message.
    private static func wrap(with codec: CompressionCodec) {
        let isNew = LegacyMessageSet.magic(of: set) == 1
        wrapped.clear()
        wrapped.writeInteger(Int64(7))
        wrapped.writeInteger(Int32(0))
        wrapped.writeInteger(UInt32(0))
        wrapped.writeInteger(Int8(isNew ? 1 : 0))
        wrapped.writeInteger(codec.rawValue)
        if isNew { wrapped.writeInteger(Int64(1_700_000_000_000)) }
        wrapped.writeInteger(Int32(-1))
        let lengthIndex = wrapped.writerIndex
        wrapped.writeInteger(Int32(0))
        do throws(RecordBatchError) {
            try set.withUnsafeReadableBytes { (bytes) throws(RecordBatchError) in
                try Compression.compress(bytes, with: codec, into: &wrapped)
            }
        } catch {
            broken("\(error)")
        }
        wrapped.setInteger(Int32(wrapped.writerIndex - lengthIndex - 4), at: lengthIndex)
        wrapped.setInteger(Int32(wrapped.readableBytes - LegacyMessage.overhead), at: 8)
        repair(&wrapped)
        swap(&set, &wrapped)
    }
}
