import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

/// What a connection may send, and what becomes of those who send something else.
@Suite struct HandshakeTests {
    @Test func everyVersionOfApiVersionsListsTheTable() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            for version in ApiVersionsRequest.supportedVersions {
                let response = try await client.ask(ApiVersionsRequest(), version: version)
                #expect(response.errorCode == .none)
                #expect(response.apiKeys.count == APITable.entries.count)
                let produce = response.apiKeys.first { $0.apiKey == APIKey.produce.rawValue }
                #expect(produce?.minVersion == 0 && produce?.maxVersion == 9)
            }
        }
    }

    @Test func anUnknownVersionOfApiVersionsIsAnsweredInVersionZeroWithTheRanges() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            var frame = ByteBuffer()
            frame.writeInteger(Int32(13))
            frame.writeInteger(APIKey.apiVersions.rawValue)
            frame.writeInteger(Int16(99))
            frame.writeInteger(Int32(4_711))
            frame.writeBytes([0xFF, 0xFF, 0xFF, 0xFF, 0xFF])  // a header and body of the future
            try await client.send(frame)
            let (id, response) = try await client.answer(to: ApiVersionsRequest.self, version: 0)
            #expect(id == 4_711)
            #expect(response.errorCode == .unsupportedVersion)
            #expect(response.apiKeys.count == APITable.entries.count)
            // The connection is still good.
            #expect(try await client.ask(ApiVersionsRequest()).errorCode == .none)
        }
    }

    private struct Nonsense: CustomStringConvertible {
        let description: String
        let bytes: [UInt8]
        let complaint: String
    }

    private static let nonsense = [
        Nonsense(
            description: "an oversized frame", bytes: [0x7F, 0xFF, 0xFF, 0xFF], complaint: "frame length 2147483647"),
        Nonsense(description: "a negative length", bytes: [0x80, 0, 0, 0], complaint: "frame length -2147483648"),
        Nonsense(description: "HTTP", bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8), complaint: "HTTP"),
        Nonsense(description: "TLS", bytes: [0x16, 0x03, 0x01, 0x02, 0x00, 0x01], complaint: "TLS"),
        Nonsense(description: "an empty frame", bytes: [0, 0, 0, 0], complaint: "needs 8 bytes"),
        Nonsense(
            description: "an unknown key", bytes: [0, 0, 0, 10, 0x7F, 0xFF, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF],
            complaint: "API key 32767"),
        Nonsense(
            description: "an unknown version", bytes: [0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 0xFF, 0xFF],
            complaint: "version 99 is not supported"),
        Nonsense(
            description: "a Fetch newer than ours", bytes: [0, 0, 0, 10, 0, 1, 0, 99, 0, 0, 0, 1, 0xFF, 0xFF],
            complaint: "only 0 to 12"),
        Nonsense(
            description: "a truncated body", bytes: [0, 0, 0, 12, 0, 3, 0, 1, 0, 0, 0, 1, 0xFF, 0xFF, 0, 0],
            complaint: "MetadataRequest.topics"),
        Nonsense(
            description: "a huge array",
            bytes: [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF],
            complaint: "2147483647 elements"),
    ]

    @Test(arguments: nonsense.indices)
    func nonsenseClosesTheConnectionWithOneLineThatNamesThePeer(_ index: Int) async throws {
        let nonsense = Self.nonsense[index]
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let address = client.address
            try await client.send(bytes: nonsense.bytes)
            try await client.closedByServer()
            let lines = broker.log.matching("warning: ")
            #expect(lines.count == 1)
            #expect(lines.first?.contains(address) == true, "\(lines)")
            #expect(lines.first?.contains(nonsense.complaint) == true, "\(lines)")
            // Others are served all along.
            let honest = try await broker.connect()
            #expect(try await honest.ask(ApiVersionsRequest()).errorCode == .none)
        }
    }

    @Test func aConnectionThatEndsInsideAFrameIsSaid() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let address = client.address
            try await client.send(bytes: [0, 0, 0, 100, 1, 2, 3])
            await client.close()
            try await eventually("a line about \(address)") {
                broker.log.matching("\(address) closed the connection 7 bytes into a frame").count == 1
            }
        }
    }

    @Test func framesMayBeLargerOnceTheClientHasProvedItself() async throws {
        try await withBroker(
            in: TemporaryDirectory(),
            configure: {
                $0.limits.connection.firstFrameBytes = 200
                $0.limits.connection.frameBytes = 2_000
            }
        ) { broker in
            let large = Requests.metadata([String(repeating: "x", count: 240)], create: false)
            let stranger = try await broker.connect()
            try await stranger.send(large, version: 4)
            try await stranger.closedByServer()

            let known = try await broker.connect()
            _ = try await known.ask(ApiVersionsRequest(), version: 0)
            #expect(try await known.ask(large, version: 4).topics.count == 1)
            try await known.send(Requests.metadata(Array(repeating: "topic", count: 400), create: false), version: 4)
            try await known.closedByServer()
            #expect(broker.log.matching("between 0 and 2000").count == 1)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            var all = ByteBuffer()
            // The fetch waits, so everything behind it has to wait as well.
            try Requests.fetch("t", waitMs: 300, minBytes: 1_000_000)
                .writeFrame(into: &all, version: 11, correlationID: 1, clientID: nil)
            for id in Int32(2)...50 {
                try Requests.produce(["\(id)"], to: "t", acks: id % 3 == 0 ? -1 : 1)
                    .writeFrame(into: &all, version: 8, correlationID: id, clientID: nil)
                try Requests.metadata(["t"]).writeFrame(
                    into: &all, version: 9, correlationID: id + 1_000, clientID: nil)
            }
            try await client.send(all)
            #expect(try await client.answer(to: FetchRequest.self, version: 11).correlationID == 1)
            for id in Int32(2)...50 {
                let (answered, response) = try await client.answer(to: ProduceRequest.self, version: 8)
                #expect(answered == id)
                #expect(response.only.baseOffset == Int64(id - 2))
                #expect(try await client.answer(to: MetadataRequest.self, version: 9).correlationID == id + 1_000)
            }
        }
    }

    @Test func aFullQueueStopsReadingAndNothingIsLost() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.connection.queuedRequests = 2 }) {
            broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            var all = ByteBuffer()
            for id in Int32(0)..<200 {
                try Requests.produce([String(repeating: "x", count: 2_000)], to: "t")
                    .writeFrame(into: &all, version: 8, correlationID: id, clientID: nil)
            }
            try await client.send(all)
            for id in Int32(0)..<200 {
                let (answered, response) = try await client.answer(to: ProduceRequest.self, version: 8)
                #expect(answered == id && response.only.baseOffset == Int64(id))
            }
        }
    }
}
