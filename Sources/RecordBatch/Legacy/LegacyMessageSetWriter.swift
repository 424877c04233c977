public import NIOCore

/// Makes message sets of record batches, for consumers older than these. A value owned by the answer to one fetch of one
/// partition.
///
/// Messages are written uncompressed, one by one, so the set may end after any of them: the writer stops at its limit,
/// which bounds the memory that a well compressed batch takes. Headers have no place in a
/// message and are dropped, and so are control batches, as Kafka does.
public struct LegacyMessageSetWriter {
    public let format: LegacyMessageFormat
    /// The most bytes of the set, unless its first message alone has more.
    public let maximumBytes: Int
    /// The messages so far.
    public private(set) var bytes = ByteBuffer()
    public private(set) var messageCount = 0
    /// The first offset that has not been looked at: what to read next, also where only control batches came.
    public private(set) var nextOffset: Offset
    /// Whether no further message will be taken: the set has its bytes, or the next batch cannot be converted.
    public private(set) var isFull = false

    private let firstOffset: Offset

    /// - Parameters:
    ///   - firstOffset: records before it are left out, since the first batch may begin before it.
    ///   - maximumBytes: see the property.
    public init(format: LegacyMessageFormat, from firstOffset: Offset, maximumBytes: Int) {
        self.format = format
        self.firstOffset = firstOffset
        self.nextOffset = firstOffset
        self.maximumBytes = maximumBytes
    }

    /// Adds the records of whole batches as they lie one after the other, until the set is full. Half a batch at the end
    /// is left for the next time.
    ///
    /// - Parameters:
    ///   - batches: as read from a log, which checked them when they were written: the CRCs are not computed again.
    ///   - maximumDecompressedBytes: what the records of one batch may decompress to.
    /// - Throws: if the first record to convert cannot be. Behind messages that could be, the set just ends, and the
    ///   error comes when somebody asks for what follows.
    public mutating func append(
        _ batches: ByteBuffer, maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes
    ) throws(LegacyConversionError) {
        var rest = batches
        do throws(LegacyConversionError) {
            while !isFull, let batch = try nextBatch(of: &rest) {
                try append(batch, maximumDecompressedBytes)
            }
        } catch {
            guard messageCount > 0 else { throw error }
            isFull = true
        }
    }

    private func nextBatch(of rest: inout ByteBuffer) throws(LegacyConversionError) -> EncodedBatch? {
        guard rest.readableBytes >= RecordBatchHeader.byteCount else { return nil }
        do throws(RecordBatchError) {
            let header = try RecordBatchHeader(reading: rest, at: rest.readerIndex)
            return rest.readSlice(length: header.totalByteCount).map { EncodedBatch(header: header, bytes: $0) }
        } catch {
            throw .damaged(error, offset: nextOffset)
        }
    }

    private mutating func append(_ batch: EncodedBatch, _ maximumDecompressedBytes: Int) throws(LegacyConversionError) {
        let header = batch.header
        if !header.isControl, header.lastOffset >= firstOffset {
            if header.compression == .zstd { throw .unsupportedCompression(.zstd, offset: nextOffset) }
            do throws(RecordBatchError) {
                // No record of so many bytes outgrows a message's 32-bit size.
                let limit = min(maximumDecompressedBytes, LegacyMessageSet.maximumBytes)
                let records = try batch.decompressedPayload(maximumBytes: limit)
                try records.withUnsafeReadableBytes { (records) throws(RecordBatchError) in
                    try append(RecordWalk(header: header, records: records), isLogAppendTime: header.isLogAppendTime)
                }
            } catch {
                throw .damaged(error, offset: nextOffset)
            }
        }
        if !isFull { nextOffset = max(nextOffset, header.nextOffset) }
    }

    private mutating func append(_ walk: RecordWalk, isLogAppendTime: Bool) throws(RecordBatchError) {
        var walk = walk
        while let record = try walk.next() {
            guard record.offset >= firstOffset else { continue }
            let size = format.minimumSize + (record.key?.count ?? 0) + (record.value?.count ?? 0)
            guard messageCount == 0 || bytes.readableBytes + LegacyMessage.overhead + size <= maximumBytes else {
                isFull = true
                return
            }
            write(record, size: size, isLogAppendTime: isLogAppendTime)
            nextOffset = max(nextOffset, record.offset.advanced(by: 1))
        }
    }

    private mutating func write(_ record: RecordView, size: Int, isLogAppendTime: Bool) {
        let byteCount = LegacyMessage.overhead + size
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount) { room in
            let message = UnsafeMutableRawBufferPointer(rebasing: room.prefix(byteCount))
            message.setBigEndian(record.offset.rawValue, at: 0)
            message.setBigEndian(Int32(size), at: 8)
            message.setBigEndian(format.rawValue, at: LegacyMessage.magicIndex)
            var position = 18
            if format == .v1 {
                message[17] = isLogAppendTime ? LegacyMessage.logAppendTimeBit : 0
                message.setBigEndian(record.timestamp, at: position)
                position += 8
            } else {
                message[17] = 0
            }
            for field in [record.key, record.value] {
                message.setBigEndian(Int32(field?.count ?? -1), at: position)
                position += 4
                if let field, field.count > 0 {
                    UnsafeMutableRawBufferPointer(rebasing: message[position...]).copyMemory(from: field)
                    position += field.count
                }
            }
            let covered = UnsafeRawBufferPointer(rebasing: message[LegacyMessage.magicIndex...])
            message.setBigEndian(CRC32.checksum(covered), at: 12)
            return byteCount
        }
        messageCount += 1
    }
}

extension EncodedBatch {
    /// The records' bytes, decompressed.
    fileprivate func decompressedPayload(maximumBytes: Int) throws(RecordBatchError) -> ByteBuffer {
        guard let codec = header.compression else { throw .unknownCompression(UInt8(header.attributes & 0b111)) }
        if codec == .none { return payload }
        var records = ByteBuffer()
        try payload.withUnsafeReadableBytes { (compressed) throws(RecordBatchError) in
            try Decompression.decompress(compressed, with: codec, into: &records, maximumBytes: maximumBytes)
        }
        return records
    }
}
