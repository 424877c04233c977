import Fuzzing
import NIOCore

@testable import RecordBatch

/// Batches whose length and CRC are right, so that the search gets behind them. (Wrong ones are what the bytes are
/// without this; the first byte chooses.)
enum BatchMaking {
    nonisolated(unsafe) private static var buffer = ByteBuffer()

    /// The bytes behind the first one, which says what is put right: bit 0 length and CRC.
    static func bytes(_ input: UnsafeRawBufferPointer) -> ByteBuffer {
        buffer.clear()
        buffer.writeBytes(UnsafeRawBufferPointer(rebasing: input.dropFirst()))
        if let choice = input.first, choice & 1 == 1 { repair(&buffer) }
        return buffer
    }

    static func repair(_ bytes: inout ByteBuffer) {
        guard bytes.readableBytes >= RecordBatchHeader.byteCount else { return }
        bytes.setInteger(
            Int32(bytes.readableBytes - RecordBatchHeader.bytesBeforeLengthEnd), at: bytes.readerIndex + 8)
        bytes.setInteger(UInt8(2), at: bytes.readerIndex + 16)
        let crc = bytes.withUnsafeReadableBytes {
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[RecordBatchHeader.checksummedFrom...]))
        }
        bytes.setInteger(crc, at: bytes.readerIndex + 17)
    }

    /// A sum of all that a record says, to compare records without keeping them.
    static func fingerprint(_ view: RecordView) -> Int {
        var hasher = Hasher()
        hasher.combine(view.offset)
        hasher.combine(view.timestamp)
        combine(view.key, into: &hasher)
        combine(view.value, into: &hasher)
        for header in view.headers {
            combine(header.key, into: &hasher)
            combine(header.value, into: &hasher)
        }
        return hasher.finalize()
    }

    private static func combine(_ bytes: UnsafeRawBufferPointer?, into hasher: inout Hasher) {
        hasher.combine(bytes?.count ?? -1)
        if let bytes { hasher.combine(bytes: bytes) }
    }

    static let maximumDecompressedBytes = 64 << 10
}

extension FuzzTarget {
    nonisolated(unsafe) private static var prints: [Int] = []

    /// A record batch (v2) and its records, by both ways of reading them; what was read can be written again.
    static let batch = FuzzTarget("batch", maximumBytes: 320) { input in
        let bytes = BatchMaking.bytes(input)
        guard let (batches, trailing) = try? EncodedBatch.split(bytes) else { return }
        promise(batches.reduce(trailing) { $0 + $1.bytes.readableBytes } == bytes.readableBytes, "bytes were lost")
        guard let batch = batches.first else { return }
        var visited: [RecordBatchError?] = []
        prints.removeAll(keepingCapacity: true)
        let limit = BatchMaking.maximumDecompressedBytes
        do {
            try batch.forEachRecord(maximumDecompressedBytes: limit) { prints.append(BatchMaking.fingerprint($0)) }
        } catch {
            promise(
                (try? batch.records(maximumDecompressedBytes: limit)) == nil, "records only of one reader: \(error)")
            return
        }
        guard let records = try? batch.records(maximumDecompressedBytes: limit) else {
            broken("records only of the walk")
        }
        promise(records.count == prints.count, "\(records.count) records, \(prints.count) walked")
        guard batch.header.compression == CompressionCodec.none, !records.isEmpty else { return }
        rewrite(records)
    }

    /// Records that a builder takes come back as the same.
    private static func rewrite(_ records: [Record]) {
        var builder = RecordBatchBuilder(compression: .none)
        for record in records {
            builder.append(timestamp: record.timestamp, key: record.key, value: record.value, headers: record.headers)
        }
        guard let batch = try? builder.finish(), let again = try? EncodedBatch(validating: batch.bytes).records() else {
            broken("an own batch is damaged")
        }
        promise(again.count == records.count, "\(again.count) records of \(records.count)")
        for (one, other) in zip(records, again) {
            promise(
                one.timestamp == other.timestamp && one.key == other.key && one.value == other.value
                    && one.headers == other.headers, "\(one) came back as \(other)")
        }
    }

    /// What compaction makes of a batch: those records that it keeps, unchanged.
    static let compaction = FuzzTarget("compaction", maximumBytes: 320) { input in
        let bytes = BatchMaking.bytes(input)
        let seed = input.first ?? 0
        guard let batch = try? EncodedBatch(validating: bytes) else { return }
        let limit = BatchMaking.maximumDecompressedBytes
        prints.removeAll(keepingCapacity: true)
        let compacted = try? batch.compacted(deleteHorizon: 1_700_000_000_000, maximumDecompressedBytes: limit) {
            view in
            let print = BatchMaking.fingerprint(view)
            let keeps = seed & 2 == 0 || print & 1 == 0
            if keeps { prints.append(print) }
            return keeps
        }
        guard let kept = compacted else { return }
        var index = 0
        do {
            try EncodedBatch(validating: kept.bytes).forEachRecord(maximumDecompressedBytes: limit) { view in
                promise(
                    index < prints.count && BatchMaking.fingerprint(view) == prints[index], "record \(index) changed")
                index += 1
            }
        } catch {
            broken("a compacted batch is damaged: \(error)")
        }
        promise(index == prints.count, "\(index) records, not \(prints.count)")
        promise(
            kept.header.baseOffset == batch.header.baseOffset && kept.header.lastOffset == batch.header.lastOffset,
            "offsets changed")
        let empty = batch.emptied()
        promise((try? EncodedBatch(validating: empty.bytes).records())?.isEmpty == true, "an emptied batch is damaged")
    }

    /// Batches made into message sets for old consumers: whatever the limit, the set can be read, and its offsets grow.
    static let downConversion = FuzzTarget("down-conversion", maximumBytes: 320) { input in
        guard let choice = input.first else { return }
        let bytes = BatchMaking.bytes(input)
        // As from the log, which takes no other.
        guard let (batches, _) = try? EncodedBatch.split(bytes), let first = batches.first else { return }
        var writer = LegacyMessageSetWriter(
            format: choice & 2 == 0 ? .v0 : .v1, from: first.header.baseOffset, maximumBytes: Int(choice) << 3)
        do throws(LegacyConversionError) {
            try writer.append(bytes, maximumDecompressedBytes: BatchMaking.maximumDecompressedBytes)
        } catch {
            promise(writer.messageCount == 0, "an error behind messages: \(error)")
            return
        }
        var count = 0
        do throws(LegacyMessageError) {
            try LegacyMessageSet.forEachMessage(in: writer.bytes) { message in
                promise(message.format == writer.format, "a message in another format")
                count += 1
            }
        } catch {
            broken("an own message set is damaged: \(error)")
        }
        promise(count == writer.messageCount, "\(count) messages, not \(writer.messageCount)")
    }
}
