public import NIOCore

/// What stands before each request. A value.
///
///     version 0  ┌─────────────┬─────────────┬───────────────┐
///                │ key   int16 │ api   int16 │ correlation   │
///                │             │ version     │ id      int32 │
///     version 1  ├─────────────┴─────────────┴───────────────┼──────────────────────────┐
///                │ as version 0                              │ client id  string / null │
///     version 2  ├───────────────────────────────────────────┴──────────────────────────┼───────────────┐
///                │ as version 1, the client id with its int16 length                    │ tagged fields │
///                └──────────────────────────────────────────────────────────────────────┴───────────────┘
///
/// Flexible requests have version 2, all others here version 1. (Version 0 belongs to one request between brokers,
/// ControlledShutdown 0; it can be read and written by asking for it.)
public struct RequestHeader: Hashable, Sendable {
    public var apiKey: APIKey
    public var apiVersion: Int16
    /// Chosen by the client; the response repeats it.
    public var correlationID: Int32
    public var clientID: String?

    public init(apiKey: APIKey, apiVersion: Int16, correlationID: Int32, clientID: String? = nil) {
        self.apiKey = apiKey
        self.apiVersion = apiVersion
        self.correlationID = correlationID
        self.clientID = clientID
    }

    /// The header's version for a request. Also right for request versions newer than we know.
    public static func version(of apiKey: APIKey, _ apiVersion: Int16) -> Int16 {
        apiVersion >= apiKey.firstFlexibleVersion ? 2 : 1
    }

    /// Reads the header; the body follows in the reader. The request's version is not checked here, so that a broker can
    /// answer a version it does not know.
    public init(decoding reader: inout MessageReader, headerVersion: Int16? = nil) throws(ProtocolError) {
        reader.isFlexible = false
        let key = try reader.readInt16("RequestHeader.apiKey")
        let apiVersion = try reader.readInt16("RequestHeader.apiVersion")
        let correlationID = try reader.readInt32("RequestHeader.correlationID")
        guard let apiKey = APIKey(rawValue: key) else {
            throw ProtocolError(.unknownAPIKey(key), field: "RequestHeader.apiKey", position: 0)
        }
        let version = headerVersion ?? Self.version(of: apiKey, apiVersion)
        let clientID = version >= 1 ? try reader.readNullableString("RequestHeader.clientID") : nil
        if version >= 2 {
            reader.isFlexible = true
            try reader.skipTaggedFields()
        }
        self.init(apiKey: apiKey, apiVersion: apiVersion, correlationID: correlationID, clientID: clientID)
    }

    public func encode(into buffer: inout ByteBuffer, headerVersion: Int16? = nil) throws(ProtocolError) {
        let version = headerVersion ?? Self.version(of: apiKey, apiVersion)
        buffer.writeInt16(apiKey.rawValue)
        buffer.writeInt16(apiVersion)
        buffer.writeInt32(correlationID)
        if version >= 1 { try buffer.writeNullableString(clientID, flexible: false, "RequestHeader.clientID") }
        if version >= 2 { buffer.writeEmptyTaggedFields() }
    }
}
