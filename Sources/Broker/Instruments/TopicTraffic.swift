import Instruments
import NIOCore

/// What went into and out of one topic. Shared by its partitions; any thread may count.
final class TopicTraffic: Sendable {
    let producedRecords = Counter()
    let producedBytes = Counter()
    let fetchedRecords = Counter()
    let fetchedBytes = Counter()

    func produced(records: Int, bytes: Int) {
        self.producedRecords.add(records)
        self.producedBytes.add(bytes)
    }

    /// Records that are sent to a consumer: whole batches, or a message set for an old one.
    func fetched(_ records: ByteBuffer) {
        guard records.readableBytes > 0 else { return }
        self.fetchedBytes.add(records.readableBytes)
        self.fetchedRecords.add(Self.count(records))
    }

    /// The number of records, read from the headers of batches; a message of an old set is one.
    ///
    ///     offset int64 │ length int32 │ 4 bytes │ magic int8 │ … │ at byte 57 of a batch: record count int32
    private static func count(_ records: ByteBuffer) -> Int {
        records.withUnsafeReadableBytes { bytes in
            var (count, position) = (0, 0)
            while bytes.count - position >= 17 {
                let isBatch = bytes[position + 16] >= 2
                if !isBatch {
                    count += 1
                } else if bytes.count - position >= 61 {
                    count += Int(bytes.bigEndianInt32(at: position + 57))
                }
                let length = Int(bytes.bigEndianInt32(at: position + 8))
                guard length > 0, length <= bytes.count - position - 12 else { break }
                position += 12 + length
            }
            return count
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func bigEndianInt32(at position: Int) -> Int32 {
        Int32(bigEndian: self.loadUnaligned(fromByteOffset: position, as: Int32.self))
    }
}
