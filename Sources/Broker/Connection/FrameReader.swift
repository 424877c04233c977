import KafkaProtocol
import NIOCore

/// Cuts the byte stream of one connection into frames. A value inside `ConnectionState`.
///
/// Memory grows with the bytes that have arrived, never with a length that a peer merely announces.
struct FrameReader {
    private static let growth = 4
    private var buffered = ByteBuffer()

    var bufferedBytes: Int { self.buffered.readableBytes }

    mutating func receive(_ bytes: ByteBuffer) {
        if self.buffered.readableBytes == 0 {
            self.buffered = bytes
        } else {
            var bytes = bytes
            self.buffered.discardReadBytes()
            self.makeRoom(for: bytes.readableBytes)
            self.buffered.writeBuffer(&bytes)
        }
    }

    /// Each growth copies what is there, so it goes on to the end of the frame, as far as that is not beyond four times
    /// the bytes that have arrived.
    private mutating func makeRoom(for count: Int) {
        guard let length = self.buffered.getInteger(at: self.buffered.readerIndex, as: Int32.self) else { return }
        let arrived = self.buffered.readableBytes + count
        let frameBytes = Frame.lengthBytes + Int(max(0, length))
        self.buffered.reserveCapacity(max(arrived, min(frameBytes, arrived * Self.growth)))
    }

    /// The next whole frame without its length; nil until it is there.
    mutating func nextFrame(maximumBytes: Int) throws(ProtocolError) -> ByteBuffer? {
        let frame = try Frame.next(from: &self.buffered, maximumBytes: maximumBytes)
        if self.buffered.readableBytes == 0 { self.buffered = ByteBuffer() }
        return frame
    }
}

extension ProtocolError {
    /// What a person should know about a frame that is none: people point browsers and TLS clients at the port, and
    /// the first four bytes of what those send read as an enormous length.
    var hint: String? {
        guard case .invalidFrameLength(let length, _) = self.reason else { return nil }
        let bytes = UInt32(truncatingIfNeeded: length)
        return switch bytes {
        case 0x4745_5420, 0x504F_5354, 0x4845_4144, 0x5055_5420, 0x4F50_5449: "it looks like an HTTP request"
        case _ where bytes >> 16 == 0x1603: "it looks like TLS, but this listener speaks plain text"
        default: nil
        }
    }
}
