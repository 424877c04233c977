public import NIOCore

/// Data that is stored, or carried in another message's bytes, with its version in front:
///
///     ┌───────────────┬──────────────────────────────┐
///     │ version int16 │ the fields at that version … │
///     └───────────────┴──────────────────────────────┘
///
/// The consumer protocol and the records of `__consumer_offsets` are such data.
public protocol KafkaData: KafkaMessage {}

extension KafkaData {
    /// Reads the version and then the fields.
    ///
    /// - Parameter acceptingNewer: read a version newer than all known as the newest known one, and ignore what it has
    ///   appended. The consumer protocol is meant to be read so (KIP-429).
    public init(versioned bytes: ByteBuffer, acceptingNewer: Bool = false) throws(ProtocolError) {
        var reader = MessageReader(bytes)
        let version = try reader.readInt16("data version")
        let newest = Self.supportedVersions.upperBound
        try self.init(decoding: &reader, version: acceptingNewer && version > newest ? newest : version)
    }

    /// The version in front of such data; nil if there are not even two bytes.
    public static func version(of bytes: ByteBuffer) -> Int16? {
        bytes.getInteger(at: bytes.readerIndex, as: Int16.self)
    }

    /// The version and then the fields, in a buffer of their own.
    public func versionedBytes(version: Int16) throws(ProtocolError) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInt16(version)
        try encode(into: &buffer, version: version)
        return buffer
    }
}
