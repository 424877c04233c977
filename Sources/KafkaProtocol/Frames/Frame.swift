public import NIOCore

/// The frames of a connection: each request and each response is one.
///
///     request   ┌──────────────┬───────────────────────────────┬──────┐
///               │ length int32 │ RequestHeader (key, version,  │ body │
///               │              │ correlation id, client id)    │      │
///               └──────────────┴───────────────────────────────┴──────┘
///     response  ┌──────────────┬───────────────────────────────┬──────┐
///               │ length int32 │ ResponseHeader (correlation)  │ body │
///               └──────────────┴───────────────────────────────┴──────┘
///
/// The length does not count itself. Pure functions; connections belong to broker and client.
public enum Frame {
    /// How many bytes the length takes.
    public static let lengthBytes = 4

    /// Kafka's default limit of one request (`socket.request.max.bytes`), 100 MiB.
    public static let defaultMaximumBytes = 104_857_600

    /// Takes one whole frame off the front of `buffer`: what follows its length, as a slice. Nil while it is not all there.
    public static func next(
        from buffer: inout ByteBuffer, maximumBytes: Int = defaultMaximumBytes
    ) throws(ProtocolError) -> ByteBuffer? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: Int32.self) else { return nil }
        guard length >= 0, Int(length) <= maximumBytes else {
            throw ProtocolError(.invalidFrameLength(Int(length), maximum: maximumBytes), field: "frame", position: 0)
        }
        guard buffer.readableBytes >= lengthBytes + Int(length) else { return nil }
        buffer.moveReaderIndex(forwardBy: lengthBytes)
        return buffer.readSlice(length: Int(length))
    }

    /// Appends a frame around what `content` appends. After an error the buffer is as it was.
    public static func write(
        into buffer: inout ByteBuffer, _ content: (inout ByteBuffer) throws(ProtocolError) -> Void
    ) throws(ProtocolError) {
        let start = buffer.writerIndex
        buffer.writeInteger(Int32(0))
        do throws(ProtocolError) {
            try content(&buffer)
            let length = buffer.writerIndex - start - lengthBytes
            guard length <= Int(Int32.max) else {
                throw ProtocolError(.invalidFrameLength(length, maximum: Int(Int32.max)), field: "frame")
            }
            buffer.setInteger(Int32(truncatingIfNeeded: length), at: start)
        } catch {
            buffer.moveWriterIndex(to: start)
            throw error
        }
    }
}

extension KafkaRequest {
    /// Appends the request as a frame, with its header.
    public func writeFrame(
        into buffer: inout ByteBuffer, version: Int16, correlationID: Int32, clientID: String?
    ) throws(ProtocolError) {
        let header = RequestHeader(
            apiKey: Self.apiKey, apiVersion: version, correlationID: correlationID, clientID: clientID)
        try Frame.write(into: &buffer) { (buffer: inout ByteBuffer) throws(ProtocolError) in
            try header.encode(into: &buffer)
            try encode(into: &buffer, version: version)
        }
    }
}

extension KafkaResponse {
    /// Appends the response as a frame, with its header.
    public func writeFrame(into buffer: inout ByteBuffer, version: Int16, correlationID: Int32) throws(ProtocolError) {
        let header = ResponseHeader(correlationID: correlationID)
        try Frame.write(into: &buffer) { (buffer: inout ByteBuffer) throws(ProtocolError) in
            header.encode(into: &buffer, apiKey: Self.apiKey, apiVersion: version)
            try encode(into: &buffer, version: version)
        }
    }

    /// Reads a response from the content of its frame, header and body, at the version that was asked for.
    ///
    /// A broker that does not know the version of an ApiVersions request answers with the error UNSUPPORTED_VERSION in
    /// version 0, whatever was asked for (KIP-511); that is read so.
    public static func decode(
        frame: ByteBuffer, version: Int16
    ) throws(ProtocolError) -> (header: ResponseHeader, response: Self) {
        var reader = MessageReader(frame)
        let header = try ResponseHeader(decoding: &reader, apiKey: apiKey, apiVersion: version)
        let isRefusal = apiKey == .apiVersions && reader.nextInt16 == ErrorCode.unsupportedVersion.rawValue
        let response = try Self(decoding: &reader, version: isRefusal ? 0 : version)
        return (header, response)
    }
}
