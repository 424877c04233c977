/// Why bytes are not a record batch, or a batch cannot be decoded or encoded.
public enum RecordBatchError: Error, Hashable, Sendable {
    /// Fewer bytes than the batch (or its header) needs.
    case truncated(needed: Int, available: Int)
    /// The batch ends before the bytes do, where exactly one batch was expected.
    case trailingBytes(Int)
    /// The length field is smaller than a batch header.
    case invalidLength(Int32)
    /// Only format version 2 is understood.
    case unsupportedMagic(Int8)
    case checksumMismatch(stored: UInt32, computed: UInt32)
    /// A header field has a value that no batch can have.
    case invalidField(String, Int64)
    case unknownCompression(UInt8)
    /// The compressed bytes are damaged.
    case decompressionFailed(CompressionCodec, reason: String)
    /// The records decompress to more than the limit.
    case decompressedTooLarge(CompressionCodec, limit: Int)
    case compressionFailed(CompressionCodec, reason: String)
    /// The record with this index (0 is the first of the batch) is damaged.
    case malformedRecord(index: Int, reason: RecordDamage)
}

/// What is wrong with one record's bytes.
public enum RecordDamage: String, Hashable, Sendable {
    case endsEarly = "its bytes end early"
    case varintTooLong = "it has a variable-length integer with too many bytes"
    case negativeLength = "it has a negative length"
    case lengthBeyondRecord = "a field is longer than the record"
    case lengthMismatch = "its length differs from its contents"
    case offsetOverflow = "its offset overflows"
    case bytesAfterLast = "bytes follow the last record"
}

extension RecordBatchError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let needed, let available):
            "record batch is cut off: it needs \(needed) bytes and \(available) are there"
        case .trailingBytes(let count):
            "\(count) bytes follow the end of the record batch"
        case .invalidLength(let length):
            "record batch has the impossible length \(length)"
        case .unsupportedMagic(let magic):
            "record batch has format version (magic) \(magic); only version 2 is supported"
        case .checksumMismatch(let stored, let computed):
            "record batch is corrupt: its CRC-32C is \(hexadecimal(computed)) but it says \(hexadecimal(stored))"
        case .invalidField(let field, let value):
            "record batch header has the impossible \(field) \(value)"
        case .unknownCompression(let code):
            "record batch names the unknown compression codec \(code)"
        case .decompressionFailed(let codec, let reason):
            "record batch cannot be decompressed with \(codec): \(reason)"
        case .decompressedTooLarge(let codec, let limit):
            "record batch decompresses with \(codec) to more than the limit of \(limit) bytes"
        case .compressionFailed(let codec, let reason):
            "record batch cannot be compressed with \(codec): \(reason)"
        case .malformedRecord(let index, let reason):
            "record \(index) of the batch is malformed: \(reason.rawValue)"
        }
    }

    private func hexadecimal(_ value: UInt32) -> String {
        "0x" + String(value, radix: 16, uppercase: true)
    }
}
