/// Why bytes are not a message set that we can read or write.
public struct LegacyMessageError: Error, Hashable, Sendable {
    /// Where in the set the message begins that is damaged, or that holds the damaged one, in bytes.
    public let position: Int
    public let damage: LegacyMessageDamage

    public init(position: Int, damage: LegacyMessageDamage) {
        self.position = position
        self.damage = damage
    }
}

/// What is wrong with a message.
public enum LegacyMessageDamage: Error, Hashable, Sendable {
    /// Fewer bytes than the message needs.
    case truncated(needed: Int, available: Int)
    /// The size field is too small for a message, or negative.
    case invalidSize(Int32)
    /// Only formats 0 and 1 are message sets; 2 is a record batch.
    case unsupportedMagic(Int8)
    case checksumMismatch(stored: UInt32, computed: UInt32)
    case negativeLength
    case fieldBeyondEnd
    case bytesAfterValue(Int)
    /// The message is compressed with a codec that its format does not have: zstd, or an unknown number.
    case unsupportedCompression(UInt8)
    /// A compressed message without a value.
    case wrapperWithoutValue
    /// A compressed message with nothing inside.
    case emptyWrapper
    /// Compressed messages inside compressed messages, deeper than `LegacyMessageSet.maximumNesting`.
    case nestedTooDeep
    /// A message inside a compressed one has another format than that one.
    case mixedFormats
    /// A message inside a compressed one has an offset beyond what 64 bits hold.
    case offsetOverflow
    /// The whole set has more bytes than any broker takes.
    case setTooLarge(Int)
    /// The bytes inside a compressed message are damaged, or are more than the limit.
    case compression(RecordBatchError)
}

extension LegacyMessageError: CustomStringConvertible {
    public var description: String { "message at byte \(position) of the message set: \(damage)" }
}

extension LegacyMessageDamage: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let needed, let available):
            "it is cut off: it needs \(needed) bytes and \(available) are there"
        case .invalidSize(let size):
            "it has the impossible size \(size)"
        case .unsupportedMagic(let magic):
            "it has format version (magic) \(magic); message sets have 0 or 1"
        case .checksumMismatch(let stored, let computed):
            "it is corrupt: its CRC-32 is \(hexadecimal(computed)) but it says \(hexadecimal(stored))"
        case .negativeLength:
            "its key or value has a negative length"
        case .fieldBeyondEnd:
            "its key or value is longer than the message"
        case .bytesAfterValue(let count):
            "\(count) bytes follow its value"
        case .unsupportedCompression(let code):
            if let codec = CompressionCodec(rawValue: code) {
                "it is compressed with \(codec), which its format does not have"
            } else {
                "it names the unknown compression codec \(code)"
            }
        case .wrapperWithoutValue:
            "it is compressed but has no value"
        case .emptyWrapper:
            "it is compressed but holds no message"
        case .nestedTooDeep:
            "it has compressed messages inside each other, more than \(LegacyMessageSet.maximumNesting) deep"
        case .mixedFormats:
            "it holds messages of another format than its own"
        case .offsetOverflow:
            "it holds a message whose offset overflows"
        case .setTooLarge(let count):
            "it begins a set of \(count) bytes, which is more than \(LegacyMessageSet.maximumBytes)"
        case .compression(let error):
            "\(error)"
        }
    }

    private func hexadecimal(_ value: UInt32) -> String {
        "0x" + String(value, radix: 16, uppercase: true)
    }
}
