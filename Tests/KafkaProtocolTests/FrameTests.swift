import KafkaProtocol
import NIOCore
import TestKit
import Testing

@Suite("Frames: length, header, body")
struct FrameTests {
    @Test("a request's frame comes back as its header and body")
    func request() throws {
        var buffer = ByteBuffer()
        let request = HeartbeatRequest(groupID: "g", generationID: 3, memberID: "m")
        try request.writeFrame(into: &buffer, version: 4, correlationID: 99, clientID: nil)
        let next = try Frame.next(from: &buffer)
        let content = try #require(next)
        #expect(buffer.readableBytes == 0)
        var frame = try RequestFrame(content)
        #expect(
            frame.header == RequestHeader(apiKey: .heartbeat, apiVersion: 4, correlationID: 99, clientID: nil))
        #expect(try frame.decode(HeartbeatRequest.self) == request)
        #expect(frame.body.remaining == 0)
    }

    @Test("a response's frame comes back at the version that was asked for")
    func response() throws {
        var buffer = ByteBuffer()
        let response = HeartbeatResponse(errorCode: .rebalanceInProgress)
        try response.writeFrame(into: &buffer, version: 4, correlationID: 99)
        let next = try Frame.next(from: &buffer)
        let content = try #require(next)
        #expect(ResponseHeader.correlationID(of: content) == 99)
        let (header, decoded) = try HeartbeatResponse.decode(frame: content, version: 4)
        #expect(header.correlationID == 99)
        #expect(decoded == response)
    }

    @Test("frames come out whole, however the bytes arrive")
    func pieces() throws {
        var random = SeededGenerator()
        var stream = ByteBuffer()
        for id in 0..<50 {
            try ListGroupsResponse(groups: [.init(groupID: "group \(id)", protocolType: "consumer")])
                .writeFrame(into: &stream, version: 0, correlationID: Int32(id))
        }
        var received = ByteBuffer()
        var ids: [Int32] = []
        while stream.readableBytes > 0 {
            let count = min(stream.readableBytes, Int.random(in: 1...40, using: &random))
            let slice = stream.readSlice(length: count)
            received.writeImmutableBuffer(try #require(slice))
            while let content = try Frame.next(from: &received) {
                ids.append(try ListGroupsResponse.decode(frame: content, version: 0).header.correlationID)
            }
        }
        #expect(ids == Array(0..<50))
    }

    @Test("a frame that is negative or too long is refused as soon as its length is there")
    func lengths() {
        for (length, maximum): (Int32, Int) in [(-1, 100), (.min, 100), (101, 100), (.max, Frame.defaultMaximumBytes)] {
            var buffer = ByteBuffer(integer: length)
            let reason = ProtocolError.Reason.invalidFrameLength(Int(length), maximum: maximum)
            #expect(throws: ProtocolError(reason, field: "frame", position: 0)) {
                try Frame.next(from: &buffer, maximumBytes: maximum)
            }
        }
    }

    @Test("a frame that could not be written leaves the buffer as it was")
    func rollback() throws {
        var buffer = ByteBuffer(string: "before")
        #expect(throws: ProtocolError.self) {
            try MetadataRequest(topics: nil).writeFrame(into: &buffer, version: 0, correlationID: 1, clientID: "c")
        }
        #expect(String(buffer: buffer) == "before")
    }

    @Test("an unknown API key is an error that names it; an unknown version is left to the broker")
    func unknownKey() throws {
        #expect(throws: ProtocolError(.unknownAPIKey(999), field: "RequestHeader.apiKey", position: 0)) {
            try RequestFrame(ByteBuffer(bytes: [0x03, 0xE7, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF]))
        }
        let apiVersions99: [UInt8] = [0, 18, 0, 99, 0, 0, 0, 1, 0, 1, 0x63, 0, 0xDE, 0xAD]
        let frame = try RequestFrame(ByteBuffer(bytes: apiVersions99))
        #expect(frame.header == RequestHeader(apiKey: .apiVersions, apiVersion: 99, correlationID: 1, clientID: "c"))
    }

    @Test("a header cut off at any byte is an error")
    func truncatedHeader() throws {
        var buffer = ByteBuffer()
        try RequestHeader(apiKey: .fetch, apiVersion: 12, correlationID: 1, clientID: "c").encode(into: &buffer)
        let bytes = Array(buffer.readableBytesView)
        for length in 0..<bytes.count {
            #expect(throws: ProtocolError.self) { try RequestFrame(ByteBuffer(bytes: bytes[..<length])) }
        }
    }

    @Test("header version 0 has no client id")
    func headerVersion0() throws {
        var buffer = ByteBuffer()
        let header = RequestHeader(apiKey: .produce, apiVersion: 0, correlationID: 5)
        try header.encode(into: &buffer, headerVersion: 0)
        #expect(buffer.readableBytes == 8)
        var reader = MessageReader(buffer)
        #expect(try RequestHeader(decoding: &reader, headerVersion: 0) == header)
    }

    @Test("an ApiVersions refusal is read in version 0, whatever version was asked for")
    func apiVersionsRefusal() throws {
        let refusal = ApiVersionsResponse(
            errorCode: .unsupportedVersion, apiKeys: [.init(apiKey: 18, minVersion: 0, maxVersion: 2)])
        var buffer = ByteBuffer()
        try refusal.writeFrame(into: &buffer, version: 0, correlationID: 1)
        let next = try Frame.next(from: &buffer)
        let content = try #require(next)
        #expect(try ApiVersionsResponse.decode(frame: content, version: 4).response == refusal)
    }
}
