public import NIOCore

extension EncodedBatch {
    /// Makes one batch of a message set, as a broker does with what a producer older than record batches sends.
    ///
    /// Keys, values and timestamps stay as they are (-1 where format 0 has none); the offsets are given up, since a
    /// broker assigns new ones.
    ///
    /// - Parameters:
    ///   - messageSet: whole messages of formats 0 and 1; half a message at the end is an error.
    ///   - compression: how to compress the batch; nil for the codec of the first compressed message.
    ///   - maximumDecompressedBytes: what all compressed messages together may decompress to.
    /// - Returns: the batch, with base offset 0 and without a producer id; nil if the set is empty.
    public static func converting(
        messageSet: ByteBuffer, compression: CompressionCodec? = nil,
        maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes
    ) throws(LegacyMessageError) -> EncodedBatch? {
        var budget = maximumDecompressedBytes
        return try converting(messageSet: messageSet, compression: compression, budget: &budget)
    }

    /// The same for one set of many: what compressed messages decompress to is taken from `budget`, and beyond it the set
    /// is refused.
    public static func converting(
        messageSet: ByteBuffer, compression: CompressionCodec? = nil, budget: inout Int
    ) throws(LegacyMessageError) -> EncodedBatch? {
        guard messageSet.readableBytes > 0 else { return nil }
        var builder = RecordBatchBuilder(
            compression: compression ?? LegacyMessageSet.compression(of: messageSet),
            capacity: messageSet.readableBytes)
        try LegacyMessageSet.forEachMessage(in: messageSet, budget: &budget) {
            builder.append(timestamp: $0.timestamp, key: $0.key, value: $0.value)
        }
        do throws(RecordBatchError) {
            return try builder.finish()
        } catch {
            throw LegacyMessageError(position: 0, damage: .compression(error))
        }
    }
}
