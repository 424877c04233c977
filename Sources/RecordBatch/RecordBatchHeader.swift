public import NIOCore

// A record batch, version 2 (KIP-98; "Record Batch" in Kafka's protocol documentation). Integers are big-endian.
//
//      0                   8        12          16    17       21         23              27
//      +-------------------+--------+-----------+-----+--------+----------+---------------+
//      |    base offset    | length |  leader   |magic| CRC-32C|attributes|  last offset  |
//      |       Int64       | Int32  |epoch Int32|  2  | UInt32 |  Int16   |  delta Int32  |
//      +-------------------+--------+-----------+-----+--------+----------+---------------+
//     27                  35                   43                  51         53       57        61
//      +-------------------+--------------------+-------------------+----------+--------+--------+---------
//      |  base timestamp   |   max timestamp    |    producer id    | producer |  base  | record | records
//      |      Int64        |       Int64        |       Int64       |epoch I16 |sequence|  count | …
//      +-------------------+--------------------+-------------------+----------+--------+--------+---------
//
//     length counts the bytes after itself. The CRC covers everything from the attributes to the end, so a broker
//     sets base offset and leader epoch without computing it again.
//     attributes: bits 0–2 compression, 3 timestamp is the log's append time, 4 transactional, 5 control,
//     6 base timestamp is the delete horizon.

/// The fixed fields of a record batch, parsed. A value; holds nothing of the batch's bytes.
public struct RecordBatchHeader: Hashable, Sendable {
    /// Bytes of a batch before its records.
    public static let byteCount = 61
    /// Bytes of a batch that its length field does not count.
    static let bytesBeforeLengthEnd = 12
    /// Where the bytes that the CRC covers begin.
    public static let checksummedFrom = 21

    public internal(set) var baseOffset: Offset
    /// The length field: bytes of the batch after the field itself.
    public internal(set) var batchLength: Int32
    public internal(set) var partitionLeaderEpoch: Int32
    public internal(set) var crc: UInt32
    public internal(set) var attributes: Int16
    public internal(set) var lastOffsetDelta: Int32
    public internal(set) var baseTimestamp: Int64
    public internal(set) var maxTimestamp: Int64
    public internal(set) var producerID: Int64
    public internal(set) var producerEpoch: Int16
    public internal(set) var baseSequence: Int32
    public internal(set) var recordCount: Int32

    /// Parses the header at `index` (in the buffer's own indices, like `getInteger(at:)`). Needs the header's bytes
    /// only, and checks each field by itself; neither the batch's remaining bytes nor the CRC are looked at.
    public init(reading buffer: ByteBuffer, at index: Int) throws(RecordBatchError) {
        let start = index - buffer.readerIndex
        guard start >= 0, start <= buffer.readableBytes else {
            throw .truncated(needed: Self.byteCount, available: 0)
        }
        self = try buffer.withUnsafeReadableBytes { (bytes) throws(RecordBatchError) in
            try RecordBatchHeader(reading: UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
    }

    /// Parses the header at the beginning of `bytes`, which may hold more or less than the whole batch.
    public init(reading bytes: UnsafeRawBufferPointer) throws(RecordBatchError) {
        guard bytes.count >= Self.byteCount else {
            // An alien format is told apart as soon as its version byte is there.
            if bytes.count > 16, bytes[16] != 2 { throw .unsupportedMagic(Int8(bitPattern: bytes[16])) }
            throw .truncated(needed: Self.byteCount, available: bytes.count)
        }
        let magic = Int8(bitPattern: bytes[16])
        guard magic == 2 else { throw .unsupportedMagic(magic) }
        baseOffset = Offset(bytes.bigEndian(at: 0))
        batchLength = bytes.bigEndian(at: 8)
        partitionLeaderEpoch = bytes.bigEndian(at: 12)
        crc = bytes.bigEndian(at: 17)
        attributes = bytes.bigEndian(at: 21)
        lastOffsetDelta = bytes.bigEndian(at: 23)
        baseTimestamp = bytes.bigEndian(at: 27)
        maxTimestamp = bytes.bigEndian(at: 35)
        producerID = bytes.bigEndian(at: 43)
        producerEpoch = bytes.bigEndian(at: 51)
        baseSequence = bytes.bigEndian(at: 53)
        recordCount = bytes.bigEndian(at: 57)
        guard batchLength >= Int32(Self.byteCount - Self.bytesBeforeLengthEnd) else {
            throw .invalidLength(batchLength)
        }
        guard lastOffsetDelta >= 0 else { throw .invalidField("last offset delta", Int64(lastOffsetDelta)) }
        guard recordCount >= 0 else { throw .invalidField("record count", Int64(recordCount)) }
    }

    init(
        attributes: Int16, producerID: Int64, producerEpoch: Int16, baseSequence: Int32, baseTimestamp: Int64,
        maxTimestamp: Int64, recordCount: Int32, totalByteCount: Int
    ) {
        self.baseOffset = 0
        self.batchLength = Int32(totalByteCount - Self.bytesBeforeLengthEnd)
        self.partitionLeaderEpoch = -1
        self.crc = 0
        self.attributes = attributes
        self.lastOffsetDelta = recordCount - 1
        self.baseTimestamp = baseTimestamp
        self.maxTimestamp = maxTimestamp
        self.producerID = producerID
        self.producerEpoch = producerEpoch
        self.baseSequence = baseSequence
        self.recordCount = recordCount
    }

    /// Writes all fields to the first 61 bytes of `bytes`.
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.setBigEndian(baseOffset.rawValue, at: 0)
        bytes.setBigEndian(batchLength, at: 8)
        bytes.setBigEndian(partitionLeaderEpoch, at: 12)
        bytes[16] = 2
        bytes.setBigEndian(crc, at: 17)
        bytes.setBigEndian(attributes, at: 21)
        bytes.setBigEndian(lastOffsetDelta, at: 23)
        bytes.setBigEndian(baseTimestamp, at: 27)
        bytes.setBigEndian(maxTimestamp, at: 35)
        bytes.setBigEndian(producerID, at: 43)
        bytes.setBigEndian(producerEpoch, at: 51)
        bytes.setBigEndian(baseSequence, at: 53)
        bytes.setBigEndian(recordCount, at: 57)
    }
}

extension RecordBatchHeader {
    /// Bytes of the whole batch, header included.
    public var totalByteCount: Int { Int(batchLength) + Self.bytesBeforeLengthEnd }

    public var lastOffset: Offset { baseOffset.advanced(by: Int64(lastOffsetDelta)) }

    /// The offset after the batch's last one.
    public var nextOffset: Offset { baseOffset.advanced(by: Int64(lastOffsetDelta) + 1) }

    /// The codec; nil when the attributes name one that does not exist.
    public var compression: CompressionCodec? { CompressionCodec(rawValue: UInt8(attributes & 0b111)) }

    /// Whether the timestamps are the broker's append time rather than the producer's.
    public var isLogAppendTime: Bool { attributes & 0b1000 != 0 }
    public internal(set) var isTransactional: Bool {
        get { attributes & 0b1_0000 != 0 }
        set { attributes = newValue ? attributes | 0b1_0000 : attributes & ~0b1_0000 }
    }
    /// Whether the batch holds a transaction marker instead of records.
    public var isControl: Bool { attributes & 0b10_0000 != 0 }
    /// Whether `baseTimestamp` is the time from which compaction may remove tombstones.
    public var hasDeleteHorizon: Bool { attributes & 0b100_0000 != 0 }

    /// Whether an idempotent producer stamped the batch.
    public var hasProducerID: Bool { producerID >= 0 }

    /// The sequence number of the last record; numbers wrap from Int32.max to 0. -1 without an idempotent producer.
    public var lastSequence: Int32 {
        guard baseSequence >= 0 else { return -1 }
        return Int32((Int64(baseSequence) + Int64(lastOffsetDelta)) % (Int64(Int32.max) + 1))
    }

    /// Whether every offset of the batch has a record, as in each batch that a producer sends.
    public var offsetsAreConsecutive: Bool { recordCount > 0 && lastOffsetDelta == recordCount - 1 }

    /// Visits the headers of the whole batches that `buffer` begins with, each with its index in the buffer, without
    /// looking at records or CRCs. Stops when `body` says false.
    ///
    /// - Returns: the number of bytes not visited: half a batch at the end, or what follows where `body` stopped.
    @discardableResult
    public static func walk(
        _ buffer: ByteBuffer, _ body: (_ header: RecordBatchHeader, _ index: Int) -> Bool
    ) throws(RecordBatchError) -> Int {
        var index = buffer.readerIndex
        while buffer.writerIndex - index >= Self.byteCount {
            let header = try RecordBatchHeader(reading: buffer, at: index)
            guard buffer.writerIndex - index >= header.totalByteCount, body(header, index) else { break }
            index += header.totalByteCount
        }
        return buffer.writerIndex - index
    }
}
