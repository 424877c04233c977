import NIOCore

/// Cuts the byte stream of a connection into frames: `Int32 length, length bytes`. Hands on the bytes without the length.
///
/// Lives in the channel's pipeline before ``ConnectionHandler``, on its event loop.
struct ResponseFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    let maximumBytes: Int

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: Int32.self) else { return .needMoreData }
        guard (4...max(4, maximumBytes)).contains(Int(length)) else {
            throw FrameLengthError(length: length, maximum: maximumBytes)
        }
        guard buffer.readableBytes >= 4 + Int(length) else {
            buffer.reserveCapacity(minimumWritableBytes: 4 + Int(length) - buffer.readableBytes)
            return .needMoreData
        }
        buffer.moveReaderIndex(forwardBy: 4)
        if let frame = buffer.readSlice(length: Int(length)) { context.fireChannelRead(Self.wrapInboundOut(frame)) }
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while try decode(context: context, buffer: &buffer) == .continue {}
        return .needMoreData
    }
}

/// A frame announced a length no broker would send.
struct FrameLengthError: Error, CustomStringConvertible {
    let length: Int32
    let maximum: Int

    var description: String { "it announces \(length) bytes; from 4 to \(maximum) are allowed" }
}
