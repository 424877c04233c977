public import NIOCore

/// A request as it came: its header, and a reader that stands at its body. A value of the connection's handler.
///
///     var frame = try RequestFrame(content)
///     switch frame.header.apiKey {
///     case .heartbeat: let request = try frame.decode(HeartbeatRequest.self) …
public struct RequestFrame: Sendable {
    public let header: RequestHeader
    public private(set) var body: MessageReader

    /// Reads the header of a frame's content (`Frame.next`).
    ///
    /// - Parameter maximumElements: what all arrays of the body together may have.
    public init(
        _ content: ByteBuffer, maximumElements: Int = MessageReader.maximumElements
    ) throws(ProtocolError) {
        var reader = MessageReader(content, maximumElements: maximumElements)
        header = try RequestHeader(decoding: &reader)
        body = reader
    }

    /// Reads the body at the header's version. Bytes behind it are ignored, as Kafka does.
    public mutating func decode<Request: KafkaRequest>(_ type: Request.Type) throws(ProtocolError) -> Request {
        try Request(decoding: &body, version: header.apiVersion)
    }
}
