internal import NIOCore

/// What compaction makes of a batch. Called on any thread.
extension EncodedBatch {
    /// The batch with those of its records only that `keeps` takes. They keep their offsets and timestamps, the batch its
    /// base and last offset and its producer's fields.
    ///
    /// - Parameters:
    ///   - deleteHorizon: the time (milliseconds) from which tombstones may go. Written into a batch that has none yet when a
    ///     record without value stays, or a transaction marker (KIP-534): it takes the base timestamp's place, from
    ///     which the records' time deltas count.
    ///   - maximumDecompressedBytes: more than this is an error.
    /// - Returns: nil when no record stays.
    /// - Throws: `RecordBatchError`, or what `keeps` throws.
    public func compacted(
        deleteHorizon: Int64, maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes,
        keeping keeps: (RecordView) throws -> Bool
    ) throws -> EncodedBatch? {
        guard let codec = header.compression else {
            throw RecordBatchError.unknownCompression(UInt8(header.attributes & 7))
        }
        return try payload.withUnsafeReadableBytes { stored in
            guard codec != .none else { return try compacted(stored, deleteHorizon, keeps) }
            return try Decompression.withDecompressed(stored, with: codec, maximumBytes: maximumDecompressedBytes) {
                try compacted($0, deleteHorizon, keeps)
            }
        }
    }

    private func compacted(
        _ records: UnsafeRawBufferPointer, _ deleteHorizon: Int64, _ keeps: (RecordView) throws -> Bool
    ) throws -> EncodedBatch? {
        var kept: [Bool] = []
        var maxTimestamp: Int64 = -1
        var needsHorizon = header.isControl
        var walk = RecordWalk(header: header, records: records)
        while let view = try walk.next() {
            let stays = try keeps(view)
            kept.append(stays)
            guard stays else { continue }
            maxTimestamp = max(maxTimestamp, view.timestamp)
            needsHorizon = needsHorizon || view.value == nil
        }
        let count = kept.count { $0 }
        guard count > 0 else { return nil }
        let setsHorizon = needsHorizon && !header.hasDeleteHorizon
        if count == kept.count, !setsHorizon { return self }
        var header = header
        header.recordCount = Int32(count)
        if !header.isLogAppendTime { header.maxTimestamp = maxTimestamp }
        if setsHorizon {
            header.attributes |= 0b100_0000
            header.baseTimestamp = deleteHorizon
        }
        let shift = self.header.baseTimestamp &- header.baseTimestamp
        return try EncodedBatch(header, records: Self.copy(records, where: kept, addingToTimes: shift))
    }

    /// The records that stay, one after the other, uncompressed.
    private static func copy(
        _ records: UnsafeRawBufferPointer, where kept: [Bool], addingToTimes shift: Int64
    ) throws(RecordBatchError) -> ByteBuffer {
        var output = ByteBuffer()
        output.reserveCapacity(records.count)
        var cursor = ByteCursor(records)
        for (index, stays) in kept.enumerated() {
            do throws(RecordDamage) {
                let start = cursor.position
                var record = ByteCursor(try cursor.bytes())
                guard stays else { continue }
                if shift == 0 {
                    output.writeBytes(UnsafeRawBufferPointer(start: start, count: cursor.position - start))
                    continue
                }
                let attributes = try record.byte()
                let delta = try record.varlong() &+ shift
                let length = 1 + Varint.byteCount(delta) + record.remaining
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: 2 * Varint.maximumBytes + 1) { room in
                    var writer = RecordWriter(room)
                    writer.varint(Int64(length))
                    writer.byte(attributes)
                    writer.varint(delta)
                    return writer.written
                }
                output.writeBytes(UnsafeRawBufferPointer(start: record.position, count: record.remaining))
            } catch {
                throw .malformedRecord(index: index, reason: error)
            }
        }
        return output
    }

    /// A batch with this header, but for length and CRC, around records that are not compressed yet.
    init(_ header: RecordBatchHeader, records: ByteBuffer) throws(RecordBatchError) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(RecordBatchHeader.byteCount + records.readableBytes)
        bytes.writeRepeatingByte(0, count: RecordBatchHeader.byteCount)
        try records.withUnsafeReadableBytes { (records) throws(RecordBatchError) in
            try Compression.compress(records, with: header.compression ?? .none, into: &bytes)
        }
        var header = header
        header.batchLength = Int32(bytes.readableBytes - RecordBatchHeader.bytesBeforeLengthEnd)
        self.init(header: header, bytes: bytes)
        rewriteHeader()
    }

    /// The batch without its records: its offsets and its producer's fields stay, so that what a log knows of a producer
    /// can be read from it. Kafka leaves such batches, too.
    public func emptied() -> EncodedBatch {
        var header = header
        // Neither compressed, nor with a delete horizon.
        header.attributes &= ~0b100_0111
        header.baseTimestamp = header.maxTimestamp
        header.recordCount = 0
        header.batchLength = Int32(RecordBatchHeader.byteCount - RecordBatchHeader.bytesBeforeLengthEnd)
        var empty = EncodedBatch(
            header: header, bytes: ByteBuffer(repeating: 0, count: RecordBatchHeader.byteCount))
        empty.rewriteHeader()
        return empty
    }
}
