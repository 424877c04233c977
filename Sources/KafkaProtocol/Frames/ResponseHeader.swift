public import NIOCore

/// What stands before each response: the correlation id, and in version 1 tagged fields. A value.
///
/// Flexible responses have version 1. ApiVersions has version 0 always, since its reader does not know yet what the
/// broker can do (KIP-511).
public struct ResponseHeader: Hashable, Sendable {
    /// The correlation id of the request that is answered.
    public var correlationID: Int32

    public init(correlationID: Int32) {
        self.correlationID = correlationID
    }

    /// The header's version for the response to a request.
    public static func version(of apiKey: APIKey, _ apiVersion: Int16) -> Int16 {
        apiKey != .apiVersions && apiVersion >= apiKey.firstFlexibleVersion ? 1 : 0
    }

    /// The correlation id at the front of a response's frame, by which a client finds what it had asked; nil if there are
    /// not even four bytes.
    public static func correlationID(of frame: ByteBuffer) -> Int32? {
        frame.getInteger(at: frame.readerIndex, as: Int32.self)
    }

    public init(decoding reader: inout MessageReader, apiKey: APIKey, apiVersion: Int16) throws(ProtocolError) {
        correlationID = try reader.readInt32("ResponseHeader.correlationID")
        if Self.version(of: apiKey, apiVersion) >= 1 {
            reader.isFlexible = true
            try reader.skipTaggedFields()
        }
    }

    public func encode(into buffer: inout ByteBuffer, apiKey: APIKey, apiVersion: Int16) {
        buffer.writeInt32(correlationID)
        if Self.version(of: apiKey, apiVersion) >= 1 { buffer.writeEmptyTaggedFields() }
    }
}
