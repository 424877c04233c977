import KafkaClient
import NIOCore
import TestKit
import Testing

@testable import MetricAgent

/// The logic of a direct link, without a socket.
@Suite struct DirectLinkTests {
    private let address = BrokerAddress(host: "127.0.0.1", port: 9200)

    private func link(records: Int = 100, bytes: Int = 1 << 20) -> DirectLink {
        var configuration = DirectConfiguration()
        configuration.queueRecords = records
        configuration.queueBytes = bytes
        configuration.retryPause = .milliseconds(100)...(.seconds(5))
        return DirectLink(to: address, configuration: configuration)
    }

    /// A record whose number of samples tells it from the others.
    private func frame(_ samples: Int, bytes: Int = 10) -> DirectFrame {
        DirectFrame(bytes: ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes), sampleCount: samples)
    }

    private func connected(_ link: DirectLink) -> DirectLink {
        var link = link
        #expect(link.connect() == true)
        #expect(link.up() == true)
        return link
    }

    private func expectBalance(_ link: DirectLink, sourceLocation: SourceLocation = #_sourceLocation) {
        let statistics = link.statistics
        #expect(
            statistics.offered.samples
                == statistics.sent.samples + statistics.waiting.samples + statistics.lostInAll.samples,
            sourceLocation: sourceLocation)
        #expect(
            statistics.offered.records
                == statistics.sent.records + statistics.waiting.records + statistics.lostInAll.records,
            sourceLocation: sourceLocation)
    }

    @Test func `records wait for the connection and leave in order`() {
        var link = link()
        for samples in 1...3 { #expect(link.offer(frame(samples)) == false) }
        #expect(link.statistics.waiting.samples == 6)
        link = connected(link)
        #expect(link.next(maximumBytes: 15).map(\.sampleCount) == [1, 2], "as many as reach the bytes")
        #expect(link.next(maximumBytes: 1).map(\.sampleCount) == [3], "one at least")
        #expect(link.next(maximumBytes: 1).isEmpty == true)
        for samples in 1...3 { #expect(link.written(frame(samples)) == false) }
        #expect(link.statistics.sent == .init(records: 3, samples: 6))
        #expect(link.isEmpty)
        #expect(link.offer(frame(4)) == true, "nobody is writing, so the caller is to")
        #expect(link.offer(frame(5)) == false, "somebody is writing now")
        expectBalance(link)
    }

    @Test func `a full queue loses its oldest records`() {
        var link = link(records: 3)
        for samples in 1...5 { _ = link.offer(frame(samples)) }
        #expect(link.statistics.lost(.queueFull) == .init(records: 2, samples: 1 + 2))
        link = connected(link)
        #expect(link.next(maximumBytes: 1000).map(\.sampleCount) == [3, 4, 5])
        expectBalance(link)
    }

    @Test func `bytes fill a queue too, and a record that is larger than it is lost alone`() {
        var link = link(bytes: 100)
        _ = link.offer(frame(1, bytes: 60))
        _ = link.offer(frame(2, bytes: 40))
        _ = link.offer(frame(4, bytes: 101))
        #expect(link.statistics.lost(.queueFull).samples == 4)
        _ = link.offer(frame(8, bytes: 41))
        #expect(link.statistics.lost(.queueFull).samples == 4 + 1, "the first alone makes room")
        #expect(link.statistics.waiting.samples == 2 + 8)
        expectBalance(link)
    }

    @Test func `a connection that has no room is not written to`() {
        var link = connected(link())
        _ = link.next(maximumBytes: 1)
        #expect(link.writable(false) == false)
        #expect(link.offer(frame(1)) == false)
        #expect(link.next(maximumBytes: 1).isEmpty == true)
        #expect(link.writable(true) == true)
        #expect(link.next(maximumBytes: 1).map(\.sampleCount) == [1])
    }

    @Test func `what the kernel has not taken when the connection ends is lost, the rest goes over the next one`() {
        var link = link()
        for samples in [1, 2, 4, 8] { _ = link.offer(frame(samples)) }
        link = connected(link)
        let underWay = link.next(maximumBytes: 25)
        #expect(underWay.count == 3)
        _ = link.written(underWay[0])
        link.failedToWrite(underWay[1])
        link.failedToWrite(underWay[2])
        #expect(link.down(after: .seconds(10)) != nil)
        #expect(link.statistics.lost(.connectionLost) == .init(records: 2, samples: 2 + 4))
        #expect(!link.statistics.isConnected)
        expectBalance(link)
        link = connected(link)
        #expect(link.next(maximumBytes: 1000).map(\.sampleCount) == [8])
        #expect(link.statistics.connections == 2)
        expectBalance(link)
    }

    @Test func `pauses double, and begin anew after a connection that lived`() {
        var link = link()
        var pauses: [Duration] = []
        for _ in 0..<8 {
            #expect(link.connect() == true)
            pauses.append(link.failed() ?? .zero)
        }
        for (number, pause) in pauses.enumerated() {
            let expected = min(.milliseconds(100 << number), Duration.seconds(5))
            #expect(pause >= expected * 0.8 && pause <= expected * 1.2, "\(number)")
        }
        link = connected(link)
        #expect(link.down(after: .milliseconds(10)) ?? .zero >= .seconds(4), "closed at once: no proof of anything")
        link = connected(link)
        #expect(link.down(after: .seconds(2)) ?? .seconds(9) <= .milliseconds(120))
    }

    @Test func `a subscriber that ends takes what is under way and nothing more`() {
        var link = link()
        for samples in [1, 2] { _ = link.offer(frame(samples)) }
        link = connected(link)
        let underWay = link.next(maximumBytes: 1)
        #expect(link.peerFinished() == false, "one is under way")
        #expect(link.offer(frame(4)) == false)
        #expect(link.next(maximumBytes: 100).isEmpty == true)
        #expect(link.written(underWay[0]) == true, "now the connection can be closed")
        #expect(link.down(after: .seconds(1)) != nil)
        #expect(link.statistics.lostInAll.samples == 0)
        #expect(link.statistics.waiting.samples == 2 + 4)
        expectBalance(link)
    }

    @Test func `what waits at the end is lost, and what comes after it`() {
        var link = connected(link())
        for samples in [1, 2, 4] { _ = link.offer(frame(samples)) }
        let underWay = link.next(maximumBytes: 1)
        link.close()
        _ = link.offer(frame(8))
        _ = link.written(underWay[0])
        #expect(link.down(after: .seconds(5)) == nil, "no other attempt")
        #expect(link.connect() == false)
        #expect(link.statistics.sent.samples == 1)
        #expect(link.statistics.lost(.shutdown).samples == 2 + 4 + 8)
        #expect(link.isEmpty)
        expectBalance(link)
    }

    @Test func `whatever happens, every record is sent, waits or is lost`() {
        var random = SeededGenerator()
        var link = link(records: 8, bytes: 200)
        var underWay: [DirectFrame] = []
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3:
                _ = link.offer(
                    frame(Int.random(in: 1...9, using: &random), bytes: Int.random(in: 1...210, using: &random)))
            case 4: _ = link.connect()
            case 5: _ = Bool.random(using: &random) ? link.up() : link.failed() != nil
            case 6: underWay += link.next(maximumBytes: Int.random(in: 1...100, using: &random))
            case 7: if !underWay.isEmpty { _ = link.written(underWay.removeFirst()) }
            case 8: _ = link.writable(Bool.random(using: &random))
            default:
                if Bool.random(using: &random) {
                    _ = link.peerFinished()
                } else if link.statistics.isConnected {
                    for frame in underWay { link.failedToWrite(frame) }
                    underWay = []
                    _ = link.down(after: .seconds(Int.random(in: 0...2, using: &random)))
                }
            }
            expectBalance(link)
            #expect(link.statistics.waiting.records <= 8 + underWay.count)
        }
        #expect(link.statistics.sent.samples > 0)
        #expect(link.statistics.lost(.queueFull).samples > 0)
        #expect(link.statistics.lost(.connectionLost).samples > 0)
    }
}
