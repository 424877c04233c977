public import NIOCore

/// One whole record batch (v2) as it stands in a request, on disk and in a response, with its parsed header.
///
/// A value: mutations change its own bytes, and copy them first if somebody else holds them too.
public struct EncodedBatch: Hashable, Sendable {
    public private(set) var header: RecordBatchHeader
    /// The batch; its readable bytes are exactly the batch.
    public private(set) var bytes: ByteBuffer

    /// Takes a buffer whose readable bytes must be exactly one intact batch: length, version and CRC are checked.
    public init(validating bytes: ByteBuffer) throws(RecordBatchError) {
        let header = try RecordBatchHeader(reading: bytes, at: bytes.readerIndex)
        guard bytes.readableBytes >= header.totalByteCount else {
            throw .truncated(needed: header.totalByteCount, available: bytes.readableBytes)
        }
        guard bytes.readableBytes == header.totalByteCount else {
            throw .trailingBytes(bytes.readableBytes - header.totalByteCount)
        }
        let computed = bytes.withUnsafeReadableBytes(Self.checksum)
        guard computed == header.crc else { throw .checksumMismatch(stored: header.crc, computed: computed) }
        self.header = header
        self.bytes = bytes
    }

    /// Takes a batch whose header has just been parsed from these very bytes, or written to them.
    init(header: RecordBatchHeader, bytes: ByteBuffer) {
        self.header = header
        self.bytes = bytes
    }

    private static func checksum(_ batch: UnsafeRawBufferPointer) -> UInt32 {
        CRC32C.checksum(UnsafeRawBufferPointer(rebasing: batch[RecordBatchHeader.checksummedFrom...]))
    }

    /// Cuts a produce request's or fetch response's records into batches.
    ///
    /// - Parameter verifyingChecksums: false only where the bytes have been checked before.
    /// - Returns: the whole batches (slices of `buffer`), and how many bytes of half a batch follow them, as at the
    ///   end of a fetch response.
    public static func split(
        _ buffer: ByteBuffer, verifyingChecksums: Bool = true
    ) throws(RecordBatchError) -> (whole: [EncodedBatch], trailingBytes: Int) {
        var whole: [EncodedBatch] = []
        var rest = buffer
        while rest.readableBytes >= RecordBatchHeader.byteCount {
            let header = try RecordBatchHeader(reading: rest, at: rest.readerIndex)
            guard let bytes = rest.readSlice(length: header.totalByteCount) else { break }
            if verifyingChecksums {
                whole.append(try EncodedBatch(validating: bytes))
            } else {
                whole.append(EncodedBatch(header: header, bytes: bytes))
            }
        }
        return (whole, rest.readableBytes)
    }

    /// Sets what a broker sets when it appends; the CRC does not cover it.
    public mutating func assign(baseOffset: Offset, leaderEpoch: Int32) {
        header.baseOffset = baseOffset
        header.partitionLeaderEpoch = leaderEpoch
        bytes.setInteger(baseOffset.rawValue, at: bytes.readerIndex)
        bytes.setInteger(leaderEpoch, at: bytes.readerIndex + 12)
    }

    /// Sets what an idempotent producer sets before it sends, and the CRC.
    ///
    /// - Parameter isTransactional: whether the batch is part of a transaction.
    public mutating func stamp(
        producerID: Int64, producerEpoch: Int16, baseSequence: Int32, isTransactional: Bool = false
    ) {
        header.isTransactional = isTransactional
        header.producerID = producerID
        header.producerEpoch = producerEpoch
        header.baseSequence = baseSequence
        rewriteHeader()
    }

    /// Makes `timestamp` (milliseconds) the timestamp of every record, as a topic with
    /// `message.timestamp.type=LogAppendTime` does; sets the CRC.
    public mutating func setLogAppendTime(_ timestamp: Int64) {
        header.attributes |= 0b1000
        header.maxTimestamp = timestamp
        rewriteHeader()
    }

    /// Writes the parsed header over the bytes', with the CRC that belongs to it.
    mutating func rewriteHeader() {
        header.crc = bytes.withUnsafeMutableReadableBytes { [header] batch in
            header.write(to: batch)
            let crc = Self.checksum(UnsafeRawBufferPointer(batch))
            batch.setBigEndian(crc, at: 17)
            return crc
        }
    }
}
