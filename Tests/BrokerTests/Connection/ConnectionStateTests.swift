import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

/// The connection's logic without a socket.
@Suite struct ConnectionStateTests {
    @Test func framesAreTheSameHoweverTheBytesAreCut() {
        var generator = SeededGenerator()
        let contents = (0..<50).map {
            "p\($0)" + String(repeating: "x", count: Int.random(in: 0...90, using: &generator))
        }
        var stream = ByteBuffer()
        for content in contents { stream.writeImmutableBuffer(ConnectionBench.frame(content)) }
        let bench = ConnectionBench()
        var seen: [String] = []
        while stream.readableBytes > 0 {
            let count = Int.random(in: 1...min(40, stream.readableBytes), using: &generator)
            if let piece = stream.readSlice(length: count) { bench.receive(piece) }
            while let (content, slot) = try? bench.serve() {
                seen.append(content)
                bench.fill(slot, nil)
                #expect(bench.takeResponse() == nil)
            }
        }
        #expect(seen == contents)
    }

    @Test func manyBytesOfUnansweredRequestsStopTheReading() throws {
        let bench = ConnectionBench(queuedBytes: 50)
        let large = "p" + String(repeating: "x", count: 39)
        bench.receive(frames: large, large, large)
        let first = try bench.serve().1
        #expect(bench.hasRoom)
        let second = try bench.serve().1
        #expect(!bench.hasRoom)
        #expect(bench.otherwise == "wait")
        bench.fill(second, nil)
        #expect(bench.hasRoom)
        bench.fill(first, nil)
        #expect(try bench.serve().0 == large)
    }

    @Test func answersLeaveInTheOrderOfTheRequests() throws {
        let bench = ConnectionBench()
        bench.receive(frames: "p1", "p2", "p3")
        let (first, second, third) = (try bench.serve().1, try bench.serve().1, try bench.serve().1)
        bench.fill(third, "three")
        bench.fill(second, nil)
        #expect(bench.takeResponse() == nil)
        bench.fill(first, "one")
        #expect(bench.takeResponse() == "one")
        #expect(bench.takeResponse() == "three")
        #expect(bench.takeResponse() == nil)
    }

    @Test func aRequestThatIsAloneWaitsForThoseBeforeAndHoldsBackThoseBehind() throws {
        let bench = ConnectionBench()
        bench.receive(frames: "p1", "alone", "p2")
        let first = try bench.serve().1
        #expect(bench.otherwise == "wait")
        #expect(!bench.hasRoom)
        bench.fill(first, nil)
        #expect(bench.takeResponse() == nil)
        let (content, slot) = try bench.serve()
        #expect(content == "alone")
        #expect(bench.otherwise == "wait")
        bench.fill(slot, nil)
        #expect(bench.takeResponse() == nil)
        #expect(try bench.serve().0 == "p2")
    }

    @Test func aFullQueueStopsReading() throws {
        let bench = ConnectionBench(queued: 2)
        bench.receive(frames: "p1", "p2", "p3")
        let first = try bench.serve().1
        _ = try bench.serve()
        #expect(bench.otherwise == "wait")
        #expect(!bench.hasRoom)
        bench.fill(first, "one")
        // The slot is free when its answer has been taken to be written.
        #expect(bench.takeResponse() == "one")
        #expect(bench.hasRoom)
        #expect(try bench.serve().0 == "p3")
    }

    @Test func aPeerMustProveItselfBeforeItMaySendLargeFrames() throws {
        let large = String(repeating: "p", count: 101)
        let stranger = ConnectionBench()
        stranger.receive(frames: large)
        #expect(stranger.otherwise.hasPrefix("abort: frame at byte 0: frame length 101"))

        let known = ConnectionBench()
        known.receive(frames: "p")
        let slot = try known.serve().1
        known.requestWasValid()
        known.fill(slot, nil)
        known.receive(frames: large)
        #expect(try known.serve().0 == large)
    }

    @Test(arguments: [("GET / HTTP/1.1\r\n", "HTTP"), ("\u{16}\u{3}\u{1}\u{2}\u{0}", "TLS")])
    func otherProtocolsAreRecognised(_ hello: String, _ name: String) {
        let bench = ConnectionBench()
        bench.receive(ByteBuffer(string: hello))
        #expect(bench.otherwise.contains(name))
        #expect(!bench.hasRoom)
    }

    @Test func aNegativeLengthEndsTheConnection() {
        let bench = ConnectionBench()
        bench.receive(ByteBuffer(bytes: [0xFF, 0xFF, 0xFF, 0xFF]))
        #expect(bench.otherwise.hasPrefix("abort"))
        #expect(bench.otherwise == "wait")
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
        let bench = ConnectionBench()
        bench.receive(frames: "p1", "p2")
        let slot = try bench.serve().1
        bench.drain()
        #expect(bench.otherwise == "wait")
        bench.fill(slot, "one")
        #expect(bench.takeResponse() == "one")
        #expect(bench.otherwise == "close")
    }

    @Test func halfAFrameIsCountedWhenTheConnectionEnds() {
        let bench = ConnectionBench()
        bench.receive(ByteBuffer(bytes: [0, 0, 0, 9, 1, 2]))
        #expect(bench.closed() == 6)
    }

    @Test func wholeFramesThatNobodyServedAreNotCalledHalf() throws {
        let bench = ConnectionBench()
        bench.receive(frames: "alone", "p1", "p2")
        _ = try bench.serve()
        #expect(bench.closed() == 0)
    }
}
