import Fuzzing
import NIOCore

@testable import BrokerFiles
@testable import KafkaProtocol

extension FuzzTarget {
    nonisolated(unsafe) private static var input = ByteBuffer()

    private static func buffer(_ bytes: UnsafeRawBufferPointer, from start: Int = 0) -> ByteBuffer {
        input.clear()
        input.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        return input
    }

    /// A request: what a frame holds, header and body.
    static let request = FuzzTarget("request", maximumBytes: 256) { bytes in
        guard let frame = try? RequestFrame(buffer(bytes)) else { return }
        var body = frame.body
        ExchangeTest.of(frame.header.apiKey).request.run(&body, frame.header.apiVersion)
    }

    /// A response: the key and the version that were asked for, and what the frame holds.
    static let response = FuzzTarget("response", maximumBytes: 256) { bytes in
        guard bytes.count >= 2, let key = APIKey(rawValue: Int16(bytes[0])) else { return }
        let version = Int16(bytes[1])
        var reader = MessageReader(buffer(bytes, from: 2))
        guard (try? ResponseHeader(decoding: &reader, apiKey: key, apiVersion: version)) != nil else { return }
        ExchangeTest.of(key).response.run(&reader, version)
    }

    /// The consumer protocol and the records of the broker's own topics; the first byte chooses.
    static let data = FuzzTarget("data", maximumBytes: 192) { bytes in
        guard let choice = bytes.first else { return }
        DataTest.all[Int(choice) % DataTest.all.count].run(buffer(bytes, from: 1))
    }

    /// A stream cut into frames, however it arrives: the first eight bytes are the sizes of the pieces, in turn.
    static let frames = FuzzTarget("frames", maximumBytes: 128) { bytes in
        guard bytes.count > 8 else { return }
        let stream = buffer(bytes, from: 8)
        let maximum = 64
        var whole = FrameReader()
        whole.receive(stream)
        var pieces = FrameReader()
        var rest = stream
        var turn = 0
        var expected = next(&whole, maximum)
        while rest.readableBytes > 0 {
            let size = min(Int(bytes[turn & 7]) + 1, rest.readableBytes)
            turn += 1
            guard let piece = rest.readSlice(length: size) else { break }
            pieces.receive(piece)
            while let got = next(&pieces, maximum) {
                guard let wanted = expected else { broken("a frame too many") }
                switch (got, wanted) {
                case (.success(let one), .success(let other)): promise(one == other, "a frame in pieces is another")
                case (.failure, .failure): return
                default: broken("\(got) in pieces, \(wanted) as a whole")
                }
                expected = next(&whole, maximum)
            }
        }
        promise(expected == nil, "a frame too few")
        promise(pieces.bufferedBytes == whole.bufferedBytes, "bytes were lost")
    }

    private static func next(_ reader: inout FrameReader, _ maximum: Int) -> Result<ByteBuffer, ProtocolError>? {
        do throws(ProtocolError) {
            return try reader.nextFrame(maximumBytes: maximum).map { .success($0) }
        } catch {
            _ = error.hint
            return .failure(error)
        }
    }
}
