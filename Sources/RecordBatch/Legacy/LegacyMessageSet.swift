public import NIOCore

/// Reads message sets, the record format before record batches (Kafka 0.8 to 0.10). No state; called on any thread.
public enum LegacyMessageSet {
    /// How deep compressed messages may stand inside each other. Kafka writes one level; its first versions read more.
    public static let maximumNesting = 3

    /// The most bytes of a set, and of what it decompresses to, so that together they fit into one record batch.
    static let maximumBytes = 1 << 30 - 1

    /// The format version of the records that `bytes` begins with: 0 and 1 are message sets, 2 is a record batch. Nil if
    /// there are too few bytes to tell.
    public static func magic(of bytes: ByteBuffer) -> Int8? {
        guard bytes.readableBytes > LegacyMessage.magicIndex else { return nil }
        return bytes.getInteger(at: bytes.readerIndex + LegacyMessage.magicIndex)
    }

    /// Calls `body` with each message in turn, those inside compressed ones instead of these. Nothing is allocated per
    /// message. Messages before a damaged one have been visited when it throws.
    ///
    /// - Parameters:
    ///   - bytes: whole messages of formats 0 and 1; half a message at the end is an error.
    ///   - maximumDecompressedBytes: what all compressed messages together may decompress to.
    public static func forEachMessage(
        in bytes: ByteBuffer, maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes,
        _ body: (LegacyMessageView) -> Void
    ) throws(LegacyMessageError) {
        var budget = maximumDecompressedBytes
        try forEachMessage(in: bytes, budget: &budget, body)
    }

    /// The same for one set of many: what compressed messages decompress to is taken from `budget`, also what comes out of
    /// one before it turns out to be damaged, so that work and memory for all sets together have a bound.
    static func forEachMessage(
        in bytes: ByteBuffer, budget: inout Int, _ body: (LegacyMessageView) -> Void
    ) throws(LegacyMessageError) {
        guard bytes.readableBytes <= maximumBytes else {
            throw LegacyMessageError(position: 0, damage: .setTooLarge(bytes.readableBytes))
        }
        budget = min(budget, maximumBytes)
        try bytes.withUnsafeReadableBytes { (set) throws(LegacyMessageError) in
            var position = 0
            while position < set.count {
                do throws(LegacyMessageDamage) {
                    let message = try LegacyMessage(reading: UnsafeRawBufferPointer(rebasing: set[position...]))
                    try visit(message, offset: message.offset, outer: nil, depth: 0, budget: &budget, body)
                    position += message.byteCount
                } catch {
                    throw LegacyMessageError(position: position, damage: error)
                }
            }
        }
    }

    /// All messages as records, copied out.
    ///
    /// - Parameters:
    ///   - bytes: whole messages of formats 0 and 1; half a message at the end is an error.
    ///   - maximumDecompressedBytes: what all compressed messages together may decompress to.
    public static func records(
        in bytes: ByteBuffer, maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes
    ) throws(LegacyMessageError) -> [Record] {
        var records: [Record] = []
        try forEachMessage(in: bytes, maximumDecompressedBytes: maximumDecompressedBytes) { message in
            records.append(
                Record(
                    offset: message.offset, timestamp: message.timestamp,
                    key: message.key.map { ByteBuffer(bytes: $0) }, value: message.value.map { ByteBuffer(bytes: $0) }))
        }
        return records
    }

    /// The codec of the first compressed message; `none` if no message is compressed, or before one that is damaged.
    static func compression(of bytes: ByteBuffer) -> CompressionCodec {
        bytes.withUnsafeReadableBytes { set in
            var position = 0
            while position < set.count {
                let rest = UnsafeRawBufferPointer(rebasing: set[position...])
                guard let byteCount = try? LegacyMessage.byteCount(at: rest), let code = LegacyMessage.codec(at: rest),
                    let codec = CompressionCodec(rawValue: code)
                else { break }
                if codec != .none { return codec }
                position += byteCount
            }
            return .none
        }
    }

    /// - Parameters:
    ///   - offset: the message's, made absolute.
    ///   - outer: the compressed message that it stands in.
    ///   - depth: in how many compressed messages it stands.
    private static func visit(
        _ message: LegacyMessage, offset: Int64, outer: LegacyMessage?, depth: Int, budget: inout Int,
        _ body: (LegacyMessageView) -> Void
    ) throws(LegacyMessageDamage) {
        let codec = try message.compression()
        guard codec == .none else {
            return try visitInside(
                message, offset: offset, outer: outer, codec: codec, depth: depth, budget: &budget, body)
        }
        let isLogAppendTime = outer.map { $0.isLogAppendTime } ?? message.isLogAppendTime
        body(
            LegacyMessageView(
                format: message.format, offset: Offset(offset),
                timestamp: outer.map { $0.isLogAppendTime ? $0.timestamp : message.timestamp } ?? message.timestamp,
                isLogAppendTime: isLogAppendTime, key: message.key, value: message.value))
    }

    private static func visitInside(
        _ wrapper: LegacyMessage, offset: Int64, outer: LegacyMessage?, codec: CompressionCodec, depth: Int,
        budget: inout Int, _ body: (LegacyMessageView) -> Void
    ) throws(LegacyMessageDamage) {
        guard depth < maximumNesting else { throw .nestedTooDeep }
        guard let compressed = wrapper.value else { throw .wrapperWithoutValue }
        let inside = try decompress(compressed, with: codec, format: wrapper.format, budget: &budget)
        // The outermost append time holds for everything inside.
        let timed = outer.flatMap { $0.isLogAppendTime ? $0 : nil } ?? wrapper
        try inside.withUnsafeReadableBytes { (set) throws(LegacyMessageDamage) in
            guard set.count > 0 else { throw .emptyWrapper }
            let base = wrapper.format == .v1 ? try baseOffset(of: set, lastOffset: offset) : nil
            var position = 0
            while position < set.count {
                let message = try LegacyMessage(reading: UnsafeRawBufferPointer(rebasing: set[position...]))
                guard message.format == wrapper.format else { throw .mixedFormats }
                var absolute = message.offset
                if let base {
                    let (sum, overflow) = base.addingReportingOverflow(message.offset)
                    guard !overflow else { throw .offsetOverflow }
                    absolute = sum
                }
                try visit(message, offset: absolute, outer: timed, depth: depth + 1, budget: &budget, body)
                position += message.byteCount
            }
        }
    }

    /// What to add to the offsets inside a format 1 wrapper; nil where they stand as they are, as in a wrapper from a
    /// producer, which does not set the wrapper's offset.
    private static func baseOffset(
        of set: UnsafeRawBufferPointer, lastOffset: Int64
    ) throws(LegacyMessageDamage) -> Int64? {
        var position = 0
        var last: Int64 = 0
        while position < set.count {
            let rest = UnsafeRawBufferPointer(rebasing: set[position...])
            position += try LegacyMessage.byteCount(at: rest)
            last = rest.bigEndian(at: 0)
        }
        let (base, overflow) = lastOffset.subtractingReportingOverflow(last)
        return overflow || base < 0 ? nil : base
    }

    private static func decompress(
        _ bytes: UnsafeRawBufferPointer, with codec: CompressionCodec, format: LegacyMessageFormat, budget: inout Int
    ) throws(LegacyMessageDamage) -> ByteBuffer {
        var inside = ByteBuffer()
        defer { budget -= inside.readableBytes }
        do throws(RecordBatchError) {
            if codec == .lz4, format == .v0, let repaired = LegacyLZ4Frame.withRightHeaderChecksum(bytes) {
                try repaired.withUnsafeReadableBytes { (repaired) throws(RecordBatchError) in
                    try Decompression.decompress(repaired, with: codec, into: &inside, maximumBytes: budget)
                }
            } else {
                try Decompression.decompress(bytes, with: codec, into: &inside, maximumBytes: budget)
            }
        } catch {
            throw .compression(error)
        }
        return inside
    }
}

extension LegacyMessage {
    /// The codec, which must be one that message sets have.
    fileprivate func compression() throws(LegacyMessageDamage) -> CompressionCodec {
        guard let compression = CompressionCodec(rawValue: codec), compression != .zstd else {
            throw .unsupportedCompression(codec)
        }
        return compression
    }
}
