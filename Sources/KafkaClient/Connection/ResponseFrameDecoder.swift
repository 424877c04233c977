import KafkaProtocol
import NIOCore

/// Cuts the byte stream of a connection into frames and hands on their content.
///
/// Lives in the channel's pipeline before ``ConnectionHandler``, on its event loop.
struct ResponseFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    let maximumBytes: Int

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let frame = try Frame.next(from: &buffer, maximumBytes: maximumBytes) else {
            // Room for the whole of a large frame at once, rather than by doubling.
            if let length = buffer.getInteger(at: buffer.readerIndex, as: Int32.self) {
                buffer.reserveCapacity(minimumWritableBytes: Frame.lengthBytes + Int(length) - buffer.readableBytes)
            }
            return .needMoreData
        }
        context.fireChannelRead(Self.wrapInboundOut(frame))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while try decode(context: context, buffer: &buffer) == .continue {}
        return .needMoreData
    }
}
