public import NIOCore

/// A message of the Kafka protocol: a value that can be written and read at each of its versions.
///
/// Encoding refuses, with `ProtocolError.Reason.fieldNotInVersion`, a value that the version has no place for, unless
/// dropping it does no harm (Kafka's schemas call such fields ignorable): so a caller that fills in a field must know that
/// the version has it, or leave it at its default.
public protocol KafkaMessage: Sendable {
    /// The versions that can be encoded and decoded.
    static var supportedVersions: ClosedRange<Int16> { get }

    /// Whether a version has the compact lengths and tagged fields of KIP-482.
    static func isFlexible(_ version: Int16) -> Bool

    /// The message with every field at Kafka's default.
    init()

    /// Reads the fields that `version` has; the others keep their defaults. Bytes behind the message stay in the reader.
    init(decoding reader: inout MessageReader, version: Int16) throws(ProtocolError)

    /// Appends the message. After an error the buffer may hold half of it.
    func encode(into buffer: inout ByteBuffer, version: Int16) throws(ProtocolError)
}

/// A request, with the key that announces it and the response that answers it.
public protocol KafkaRequest: KafkaMessage {
    associatedtype Response: KafkaResponse

    static var apiKey: APIKey { get }
}

/// The answer to the request of the same key and version.
public protocol KafkaResponse: KafkaMessage {
    static var apiKey: APIKey { get }

    /// Calls `body` with every error code in the response, those that say that there was no error too.
    func forEachErrorCode(_ body: (ErrorCode) -> Void)
}

extension KafkaMessage {
    /// Throws if `version` is not one of `supportedVersions`.
    public static func checkVersion(_ version: Int16) throws(ProtocolError) {
        guard supportedVersions.contains(version) else {
            throw ProtocolError(.unsupportedVersion(version, supported: supportedVersions), field: "\(Self.self)")
        }
    }
}

/// A structure inside a message. It has no version of its own: the message's decides.
protocol KafkaStructure: Sendable {
    init(decoding reader: inout MessageReader, version: Int16) throws(ProtocolError)
    func encode(into buffer: inout ByteBuffer, version: Int16, flexible: Bool) throws(ProtocolError)
}
