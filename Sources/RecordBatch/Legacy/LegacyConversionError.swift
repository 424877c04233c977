/// Why a record batch cannot become a message set.
public enum LegacyConversionError: Error, Hashable, Sendable {
    /// Clients older than record batches do not know the codec either, and Kafka does not decompress it for them: it
    /// answers UNSUPPORTED_COMPRESSION_TYPE (76).
    case unsupportedCompression(CompressionCodec, offset: Offset)
    /// The batch is damaged, or decompresses to more than the limit.
    case damaged(RecordBatchError, offset: Offset)

    /// Where in the log: the offset that was read from.
    public var offset: Offset {
        switch self {
        case .unsupportedCompression(_, let offset), .damaged(_, let offset): offset
        }
    }
}

extension LegacyConversionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unsupportedCompression(let codec, let offset):
            """
            the records from offset \(offset) on are compressed with \(codec), which clients of Kafka 0.10 and older \
            cannot read; use a newer client, or another compression for the topic
            """
        case .damaged(let error, let offset):
            "the records from offset \(offset) on cannot be converted for an old client: \(error)"
        }
    }
}
