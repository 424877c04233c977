import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

/// The connection's logic without a socket: frames whose first byte is "p" are pipelined, all others alone.
@Suite struct ConnectionStateTests {
    private static func state(queued: Int = 64) -> ConnectionState {
        var limits = ConnectionLimits()
        limits.queuedRequests = queued
        limits.frameBytes = 1_000
        limits.firstFrameBytes = 100
        return ConnectionState(limits: limits) { frame in
            frame.getInteger(at: frame.readerIndex, as: UInt8.self) == UInt8(ascii: "p") ? .pipelined : .alone
        }
    }

    private static func frame(_ content: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(content.utf8.count))
        buffer.writeString(content)
        return buffer
    }

    private struct NothingServed: Error {}

    private static func serve(_ state: inout ConnectionState) throws -> (String, ResponseQueue.Slot) {
        guard let served = self.served(&state) else { throw NothingServed() }
        return served
    }

    private static func served(_ state: inout ConnectionState) -> (String, ResponseQueue.Slot)? {
        if case .serve(let frame, let slot) = state.next() { return (String(buffer: frame), slot) }
        return nil
    }

    @Test func framesAreTheSameHoweverTheBytesAreCut() throws {
        var generator = SeededGenerator()
        let contents = (0..<50).map { "p\($0)" + String(repeating: "x", count: Int.random(in: 0...90, using: &generator)) }
        var stream = ByteBuffer()
        for content in contents { stream.writeImmutableBuffer(Self.frame(content)) }
        var state = Self.state()
        var seen: [String] = []
        while stream.readableBytes > 0 {
            let count = Int.random(in: 1...min(40, stream.readableBytes), using: &generator)
            if let piece = stream.readSlice(length: count) { state.receive(piece) }
            while let (content, slot) = Self.served(&state) {
                seen.append(content)
                state.fill(slot, with: nil)
                #expect(state.takeResponse() == nil)
            }
        }
        #expect(seen == contents)
    }

    @Test func answersLeaveInTheOrderOfTheRequests() throws {
        var state = Self.state()
        for content in ["p1", "p2", "p3"] { state.receive(Self.frame(content)) }
        let first = try Self.serve(&state).1
        let second = try Self.serve(&state).1
        let third = try Self.serve(&state).1
        state.fill(third, with: ByteBuffer(string: "three"))
        state.fill(second, with: nil)
        #expect(state.takeResponse() == nil)
        state.fill(first, with: ByteBuffer(string: "one"))
        #expect(state.takeResponse() == ByteBuffer(string: "one"))
        #expect(state.takeResponse() == ByteBuffer(string: "three"))
        #expect(state.takeResponse() == nil)
    }

    @Test func aRequestThatIsAloneWaitsForThoseBeforeAndHoldsBackThoseBehind() throws {
        var state = Self.state()
        for content in ["p1", "alone", "p2"] { state.receive(Self.frame(content)) }
        let (_, first) = try Self.serve(&state)
        #expect(Self.served(&state) == nil)
        #expect(!state.hasRoom)
        state.fill(first, with: nil)
        _ = state.takeResponse()
        let (alone, slot) = try Self.serve(&state)
        #expect(alone == "alone")
        #expect(Self.served(&state) == nil)
        state.fill(slot, with: nil)
        _ = state.takeResponse()
        let next = try Self.serve(&state).0
        #expect(next == "p2")
    }

    @Test func aFullQueueStopsReading() throws {
        var state = Self.state(queued: 2)
        for content in ["p1", "p2", "p3"] { state.receive(Self.frame(content)) }
        let (_, first) = try Self.serve(&state)
        _ = try Self.serve(&state)
        #expect(Self.served(&state) == nil)
        #expect(!state.hasRoom)
        state.fill(first, with: ByteBuffer(string: "one"))
        // The slot is free when its answer has been taken to be written.
        #expect(state.takeResponse() != nil)
        #expect(state.hasRoom)
        let next = try Self.serve(&state).0
        #expect(next == "p3")
    }

    @Test func aPeerMustProveItselfBeforeItMaySendLargeFrames() throws {
        let large = String(repeating: "p", count: 101)
        var stranger = Self.state()
        stranger.receive(Self.frame(large))
        guard case .abort(let error) = stranger.next() else { return #expect(Bool(false), "it was served") }
        #expect(error.description.contains("101"))

        var known = Self.state()
        known.receive(Self.frame("p"))
        let slot = try #require(Self.served(&known)).1
        known.requestWasValid()
        known.fill(slot, with: nil)
        known.receive(Self.frame(large))
        #expect(try #require(Self.served(&known)).0 == large)
    }

    @Test(arguments: [("GET / HTTP/1.1\r\n", "HTTP"), ("\u{16}\u{3}\u{1}\u{2}\u{0}", "TLS")])
    func otherProtocolsAreRecognised(_ hello: String, _ name: String) {
        var state = Self.state()
        state.receive(ByteBuffer(string: hello))
        guard case .abort(let error) = state.next() else { return #expect(Bool(false), "it was served") }
        #expect(error.hint?.contains(name) == true)
        #expect(!state.hasRoom)
    }

    @Test func aNegativeLengthEndsTheConnection() {
        var state = Self.state()
        state.receive(ByteBuffer(bytes: [0xFF, 0xFF, 0xFF, 0xFF]))
        guard case .abort = state.next() else { return #expect(Bool(false), "it was served") }
    }

    @Test func memoryGrowsWithBytesThatCameAndNotWithWhatIsAnnounced() {
        var reader = FrameReader()
        var bytes = ByteBuffer()
        bytes.writeInteger(Int32(100_000_000))
        bytes.writeString("just a little")
        reader.receive(bytes)
        #expect((try? reader.nextFrame(maximumBytes: 100 << 20)) == .some(nil))
        #expect(reader.bufferedBytes == 17)
    }

    @Test func drainingAnswersWhatIsOwedAndThenCloses() throws {
        var state = Self.state()
        state.receive(Self.frame("p1"))
        state.receive(Self.frame("p2"))
        let slot = try Self.serve(&state).1
        state.drain()
        guard case .wait = state.next() else { return #expect(Bool(false), "it did not wait") }
        state.fill(slot, with: ByteBuffer(string: "one"))
        #expect(state.takeResponse() == ByteBuffer(string: "one"))
        guard case .close = state.next() else { return #expect(Bool(false), "it did not close") }
    }

    @Test func halfAFrameIsCountedWhenTheConnectionEnds() {
        var state = Self.state()
        state.receive(ByteBuffer(bytes: [0, 0, 0, 9, 1, 2]))
        #expect(state.closed() == 6)
    }
}
