import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

/// Frames with bytes changed at random, thrown at a broker that serves an honest client all along.
@Suite struct MutatedFramesTests {
    private static func seeds() throws -> [ByteBuffer] {
        var frames: [ByteBuffer] = []
        func add<Request: KafkaRequest>(_ request: Request, _ version: Int16) throws {
            var frame = ByteBuffer()
            try request.writeFrame(into: &frame, version: version, correlationID: 1, clientID: "mutant")
            frames.append(frame)
        }
        try add(ApiVersionsRequest(clientSoftwareName: "a", clientSoftwareVersion: "b"), 3)
        try add(Requests.metadata(["t"]), 12)
        try add(Requests.metadata(["t"]), 4)
        try add(try Requests.produce(["a", "b"], to: "t"), 9)
        try add(try Requests.produce(["a", "b"], to: "t", acks: 1), 7)
        try add(Requests.fetch("t"), 12)
        try add(Requests.fetch("t"), 4)
        try add(ListOffsetsRequest(topics: [.init(name: "t", partitions: [.init(timestamp: 5)])]), 7)
        try add(FindCoordinatorRequest(coordinatorKeys: ["g"]), 4)
        try add(
            JoinGroupRequest(
                groupID: "g", sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 100, memberID: "m",
                protocolType: "consumer",
                protocols: [.init(name: "range", metadata: ByteBuffer(string: "xyz"))]), 7)
        try add(SyncGroupRequest(groupID: "g", memberID: "m", assignments: [.init(memberID: "m")]), 5)
        try add(LeaveGroupRequest(groupID: "g", members: [.init(memberID: "m")]), 4)
        try add(
            OffsetCommitRequest(
                groupID: "g", topics: [.init(name: "t", partitions: [.init(committedOffset: 3)])]), 8)
        try add(OffsetFetchRequest(groups: [.init(groupID: "g", topics: nil)]), 8)
        try add(
            CreateTopicsRequest(topics: [.init(name: "u", numPartitions: 1, replicationFactor: 1)], validateOnly: true),
            7)
        try add(DeleteTopicsRequest(topics: [.init(name: "u")]), 6)
        try add(InitProducerIdRequest(transactionalID: nil), 4)
        return frames
    }

    @Test func neverHarmOthers() async throws {
        var generator = SeededGenerator()
        let seeds = try Self.seeds()
        try await withBroker(
            in: TemporaryDirectory(),
            configure: {
                $0.limits.partitionsPerTopic = 3
                $0.limits.topics = 50
                $0.limits.fetchWaitMilliseconds = 5
                $0.durability = .pageCache
            }
        ) { broker in
            let honest = try await broker.connect()
            for _ in 0..<60 {
                let mutant = try await broker.connect()
                var stream = ByteBuffer()
                for _ in 0..<20 {
                    var frame = try #require(seeds.randomElement(using: &generator))
                    for _ in 0..<Int.random(in: 0...3, using: &generator) {
                        // The length stays, so that the damage reaches the decoders.
                        let index = Int.random(in: Frame.lengthBytes..<frame.readableBytes, using: &generator)
                        let byte: UInt8 =
                            [0, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &generator)]
                            .randomElement(using: &generator) ?? 0
                        frame.setInteger(byte, at: index)
                    }
                    stream.writeImmutableBuffer(frame)
                }
                try? await mutant.send(stream)
                #expect(try await honest.ask(ApiVersionsRequest(), within: .seconds(5)).errorCode == .none)
                await mutant.close()
            }
            #expect(try await honest.ask(try Requests.produce(["still here"], to: "honest")).only.errorCode == .none)
        }
    }
}
