import KafkaProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import KafkaClient

/// The handlers in a channel without a socket.
@Suite struct ConnectionHandlerTests {
    private static let address = BrokerAddress(host: "broker", port: 9092)

    private func connect(maximumResponseBytes: Int = 1 << 20) async throws -> (NIOAsyncTestingChannel, RequestChannel) {
        let channel = NIOAsyncTestingChannel()
        let wire = try await channel.testingEventLoop.executeInContext {
            try RequestChannel.install(
                on: channel, address: Self.address, clientID: "tests", maximumResponseBytes: maximumResponseBytes)
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 9092))
        return (channel, wire)
    }

    private func heartbeat(_ wire: RequestChannel, group: String, timeout: Duration = .seconds(1)) async throws
        -> ErrorCode
    {
        try await wire.send(HeartbeatRequest(groupID: group), version: 3, timeout: timeout).errorCode
    }

    /// The next request that was written: its correlation id and group.
    private func written(_ channel: NIOAsyncTestingChannel) async throws -> (Int32, String) {
        var buffer = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        var frame = try RequestFrame(try #require(try Frame.next(from: &buffer)))
        return (frame.header.correlationID, try frame.decode(HeartbeatRequest.self).groupID)
    }

    private func answer(_ id: Int32, _ code: ErrorCode) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        try HeartbeatResponse(errorCode: code).writeFrame(into: &buffer, version: 3, correlationID: id)
        return buffer
    }

    @Test func pipelinedRequestsAreMatchedWithTheirAnswers() async throws {
        let (channel, wire) = try await connect()
        let first = Task { try await heartbeat(wire, group: "a") }
        let (firstID, _) = try await written(channel)
        let second = Task { try await heartbeat(wire, group: "b") }
        let (secondID, group) = try await written(channel)
        #expect(group == "b")
        // Both answers in one read, the second cut in two.
        var bytes = try answer(firstID, .none)
        bytes.writeImmutableBuffer(try answer(secondID, .rebalanceInProgress))
        let rest = try #require(bytes.getSlice(at: bytes.readableBytes - 3, length: 3))
        bytes.moveWriterIndex(to: bytes.writerIndex - 3)
        try await channel.writeInbound(bytes)
        #expect(try await first.value == .none)
        try await channel.writeInbound(rest)
        #expect(try await second.value == .rebalanceInProgress)
    }

    @Test func lostConnectionFailsWhatIsPending() async throws {
        let (channel, wire) = try await connect()
        let pending = Task { try await heartbeat(wire, group: "a") }
        _ = try await written(channel)
        try await channel.close()
        let lost = KafkaClientError.connectionLost(Self.address, reason: "the broker closed it")
        await #expect(throws: lost) { try await pending.value }
        await #expect(throws: KafkaClientError.self) { try await heartbeat(wire, group: "b") }
    }

    @Test func unansweredRequestTimesOutAndClosesTheConnection() async throws {
        let (channel, wire) = try await connect()
        let slow = Task { try await heartbeat(wire, group: "a", timeout: .seconds(5)) }
        _ = try await written(channel)
        await channel.testingEventLoop.advanceTime(by: .seconds(4))
        #expect(wire.isOpen)
        await channel.testingEventLoop.advanceTime(by: .seconds(1))
        let error = KafkaClientError.timedOut(Self.address, request: "heartbeat", after: .seconds(5))
        await #expect(throws: error) { try await slow.value }
        #expect(!wire.isOpen)
    }

    @Test func cancelledRequestLeavesTheOthersAlone() async throws {
        let (channel, wire) = try await connect()
        let abandoned = Task { try await heartbeat(wire, group: "a") }
        let (abandonedID, _) = try await written(channel)
        let kept = Task { try await heartbeat(wire, group: "b") }
        let (keptID, _) = try await written(channel)
        abandoned.cancel()
        await #expect(throws: CancellationError.self) { try await abandoned.value }
        try await channel.writeInbound(try answer(abandonedID, .none))
        try await channel.writeInbound(try answer(keptID, .none))
        #expect(try await kept.value == .none)
    }

    @Test func somethingThatIsNoBrokerIsNamedAsSuch() async throws {
        let (channel, wire) = try await connect()
        let pending = Task { try await heartbeat(wire, group: "a") }
        _ = try await written(channel)
        try await channel.writeInbound(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n"))
        await #expect {
            try await pending.value
        } throws: { error in
            "\(error)".contains("is it a Kafka broker?")
        }
        #expect(!wire.isOpen)
    }

    @Test func answerThatEndsEarlyIsAnErrorNotATrap() async throws {
        let (channel, wire) = try await connect()
        let pending = Task { try await heartbeat(wire, group: "a") }
        let (id, _) = try await written(channel)
        var buffer = ByteBuffer(integer: Int32(5))
        buffer.writeInteger(id)
        buffer.writeInteger(UInt8(0))
        try await channel.writeInbound(buffer)
        await #expect {
            try await pending.value
        } throws: { error in
            if case KafkaClientError.malformedAnswer = error { true } else { false }
        }
    }
}
