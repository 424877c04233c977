public import NIOCore

/// Gathers records and makes one batch of them. A value owned by one producer or writer; records are encoded as they
/// come, into the buffer that becomes the batch.
public struct RecordBatchBuilder {
    public let compression: CompressionCodec
    public let producerID: Int64
    public let producerEpoch: Int16
    public let baseSequence: Int32
    /// Extra attribute bits (transactional, control); the compression bits are set by the codec.
    private let attributes: Int16

    /// Room for the header, then the records, uncompressed.
    private var buffer: ByteBuffer
    public private(set) var count: Int32 = 0
    public private(set) var baseTimestamp: Int64 = -1
    public private(set) var maxTimestamp: Int64 = -1

    /// - Parameters:
    ///   - producerID: an idempotent producer's id; -1 for none. `EncodedBatch.stamp` can set it later.
    ///   - isTransactional: whether the batch is part of a transaction.
    ///   - isControl: whether it holds a transaction marker.
    ///   - capacity: bytes to reserve for the records.
    public init(
        compression: CompressionCodec = .none, producerID: Int64 = -1, producerEpoch: Int16 = -1,
        baseSequence: Int32 = -1, isTransactional: Bool = false, isControl: Bool = false, capacity: Int = 1024
    ) {
        self.compression = compression
        self.producerID = producerID
        self.producerEpoch = producerEpoch
        self.baseSequence = baseSequence
        self.attributes = (isTransactional ? 0b1_0000 : 0) | (isControl ? 0b10_0000 : 0)
        self.buffer = ByteBuffer()
        buffer.reserveCapacity(RecordBatchHeader.byteCount + capacity)
        buffer.writeRepeatingByte(0, count: RecordBatchHeader.byteCount)
    }

    public var isEmpty: Bool { count == 0 }

    /// Bytes that the batch takes at most, before compression.
    public var estimatedBytes: Int { buffer.readableBytes }

    /// The most bytes that appending a record with fields of these sizes adds, for deciding beforehand whether a
    /// batch would grow too large.
    public static func maximumRecordBytes(key: Int, value: Int, headers: Int = 0, headerCount: Int = 0) -> Int {
        // Attributes, a time delta of ten bytes, and five each for five lengths; two lengths per header.
        36 + key + value + headers + 10 * headerCount
    }

    /// Appends one record.
    ///
    /// - Parameter timestamp: milliseconds since the epoch.
    public mutating func append(
        timestamp: Int64, key: ByteBuffer?, value: ByteBuffer?, headers: [RecordHeader] = []
    ) {
        Self.withOptionalBytes(key) { key in
            Self.withOptionalBytes(value) { value in
                append(timestamp: timestamp, key: key, value: value, headers: headers)
            }
        }
    }

    /// Appends one record from raw memory. Disfavoured so that two nil fields mean the other one.
    ///
    /// - Parameter timestamp: milliseconds since the epoch.
    @_disfavoredOverload
    public mutating func append(
        timestamp: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, headers: [RecordHeader] = []
    ) {
        if count == 0 {
            baseTimestamp = timestamp
            maxTimestamp = timestamp
        }
        maxTimestamp = max(maxTimestamp, timestamp)
        // Deltas wrap around, as the reader's sums do, so that even absurd timestamps come back as they were.
        let timestampDelta = timestamp &- baseTimestamp
        var length =
            1 + Varint.byteCount(timestampDelta) + Varint.byteCount(Int64(count)) + Varint.byteCount(of: key)
            + Varint.byteCount(of: value) + Varint.byteCount(Int64(headers.count))
        for header in headers {
            let keyBytes = header.key.utf8.count
            length += Varint.byteCount(Int64(keyBytes)) + keyBytes
            length += Varint.byteCount(ofLength: header.value?.readableBytes)
        }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length + Varint.maximumBytes) { room in
            var writer = RecordWriter(room)
            writer.varint(Int64(length))
            writer.byte(0)
            writer.varint(timestampDelta)
            writer.varint(Int64(count))
            writer.nullableBytes(key)
            writer.nullableBytes(value)
            writer.varint(Int64(headers.count))
            for header in headers {
                writer.string(header.key)
                Self.withOptionalBytes(header.value) { writer.nullableBytes($0) }
            }
            return writer.written
        }
        count += 1
    }

    /// The batch of all records appended since the last `finish`, with base offset 0 and leader epoch -1. The builder
    /// is empty afterwards and can be used again.
    ///
    /// - Precondition: there is at least one record.
    public mutating func finish() throws(RecordBatchError) -> EncodedBatch {
        precondition(count > 0, "an empty record batch")
        var batch = buffer
        if compression != .none {
            batch = ByteBuffer()
            batch.reserveCapacity(buffer.readableBytes)
            batch.writeRepeatingByte(0, count: RecordBatchHeader.byteCount)
            try buffer.withUnsafeReadableBytes { (bytes) throws(RecordBatchError) in
                let records = UnsafeRawBufferPointer(rebasing: bytes[RecordBatchHeader.byteCount...])
                try Compression.compress(records, with: compression, into: &batch)
            }
        }
        let header = RecordBatchHeader(
            attributes: attributes | Int16(compression.rawValue), producerID: producerID,
            producerEpoch: producerEpoch, baseSequence: baseSequence, baseTimestamp: baseTimestamp,
            maxTimestamp: maxTimestamp, recordCount: count, totalByteCount: batch.readableBytes)
        startOver()
        var encoded = EncodedBatch(header: header, bytes: batch)
        // Given up here so that writing the header finds its memory unshared and copies nothing.
        batch = ByteBuffer()
        encoded.rewriteHeader()
        return encoded
    }

    private mutating func startOver() {
        if compression == .none {
            // The batch keeps the memory.
            buffer = ByteBuffer()
        } else {
            buffer.clear()
        }
        buffer.writeRepeatingByte(0, count: RecordBatchHeader.byteCount)
        count = 0
        baseTimestamp = -1
        maxTimestamp = -1
    }

    private static func withOptionalBytes<Result>(
        _ buffer: ByteBuffer?, _ body: (UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        guard let buffer else { return body(nil) }
        return buffer.withUnsafeReadableBytes { body($0) }
    }
}
