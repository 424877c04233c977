/// Why bytes are no message, or a message cannot be written: what is wrong, in which field, and where.
///
/// A value. Its description is a sentence for a log; it never contains bytes of the message.
public struct ProtocolError: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        /// The bytes end inside a value.
        case truncated(needed: Int, remaining: Int)
        /// A length or count below -1, or above what the type allows.
        case invalidLength(Int, maximum: Int)
        /// More elements than could stand in the bytes that remain.
        case countTooLarge(Int, remaining: Int)
        /// More elements in the message's arrays than the reader takes.
        case tooManyElements(maximum: Int)
        /// Null where a value is needed.
        case unexpectedNull
        /// Text that is not UTF-8.
        case invalidUTF8
        /// An unsigned varint that does not end within 32 bits.
        case varintTooLong
        /// A tagged field that does not fill the size announced for it.
        case taggedFieldSize(unread: Int)
        /// Bytes behind the end of the message.
        case trailingBytes(Int)
        /// The key of a request that is not known here.
        case unknownAPIKey(Int16)
        case unsupportedVersion(Int16, supported: ClosedRange<Int16>)
        /// A value that the version has no place for and that must not be dropped.
        case fieldNotInVersion(Int16)
        /// Null in a version that cannot say it.
        case nullInVersion(Int16)
        /// A string, bytes or array too long to be written.
        case valueTooLong(Int, maximum: Int)
        /// A frame longer than the receiver allows, or of negative length.
        case invalidFrameLength(Int, maximum: Int)
    }

    public var reason: Reason
    /// The message and the path to the field: `FetchRequest.topics.partitions`.
    public var field: String
    /// How many bytes into the message; nil where there are no bytes yet.
    public var position: Int?

    public init(_ reason: Reason, field: String, position: Int? = nil) {
        self.reason = reason
        self.field = field
        self.position = position
    }

    static func fieldNotInVersion(_ field: StaticString, _ version: Int16) -> ProtocolError {
        ProtocolError(.fieldNotInVersion(version), field: "\(field)")
    }

    static func nullInVersion(_ field: StaticString, _ version: Int16) -> ProtocolError {
        ProtocolError(.nullInVersion(version), field: "\(field)")
    }
}

extension ProtocolError: CustomStringConvertible {
    public var description: String {
        let place = position.map { " at byte \($0)" } ?? ""
        return "\(field)\(place): \(reason)"
    }
}

extension ProtocolError.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let needed, let remaining):
            "needs \(needed) bytes, \(remaining) remain"
        case .invalidLength(let length, let maximum):
            "length \(length) is not between 0 and \(maximum)"
        case .countTooLarge(let count, let remaining):
            "\(count) elements cannot stand in the \(remaining) bytes that remain"
        case .tooManyElements(let maximum):
            "the message has more than \(maximum) array elements; ask for fewer things at once"
        case .unexpectedNull:
            "is null but must have a value"
        case .invalidUTF8:
            "is not valid UTF-8"
        case .varintTooLong:
            "the varint does not end within 32 bits"
        case .taggedFieldSize(let unread):
            "the tagged field leaves \(unread) of its bytes unread"
        case .trailingBytes(let count):
            "\(count) bytes follow the end of the message"
        case .unknownAPIKey(let key):
            "API key \(key) is not known"
        case .unsupportedVersion(let version, let supported):
            "version \(version) is not supported, only \(supported.lowerBound) to \(supported.upperBound)"
        case .fieldNotInVersion(let version):
            "has a value, but version \(version) has no such field; leave it at its default or use another version"
        case .nullInVersion(let version):
            "is null, which version \(version) cannot express"
        case .valueTooLong(let length, let maximum):
            "\(length) is longer than the \(maximum) that fit"
        case .invalidFrameLength(let length, let maximum):
            "frame length \(length) is not between 0 and \(maximum); is the peer speaking Kafka's protocol?"
        }
    }
}
