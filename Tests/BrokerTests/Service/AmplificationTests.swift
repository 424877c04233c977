import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// Little that would become much: each is refused or answered within bounds, and an honest client notices nothing.
@Suite struct AmplificationTests {
    /// A connection that has proved itself, so that it may send large frames.
    private func provenClient(of broker: RunningTestBroker) async throws -> RawClient {
        let client = try await broker.connect()
        _ = try await client.ask(ApiVersionsRequest())
        return client
    }

    /// Sends a frame whose body is these bytes, and expects to be cut off while others are served.
    private func expectCut(
        _ body: ByteBuffer, key: APIKey, version: Int16, by broker: RunningTestBroker,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let honest = try await broker.connect()
        let client = try await self.provenClient(of: broker)
        let before = broker.service.statistics.unreadableRequests
        var frame = ByteBuffer()
        try Frame.write(into: &frame) { (frame: inout ByteBuffer) throws(ProtocolError) in
            try RequestHeader(apiKey: key, apiVersion: version, correlationID: 1).encode(into: &frame)
            frame.writeImmutableBuffer(body)
        }
        // The broker may close before it has taken all of it.
        try? await client.send(frame)
        try await client.closedByServer()
        #expect(broker.service.statistics.unreadableRequests == before + 1, sourceLocation: sourceLocation)
        _ = try await honest.ask(ApiVersionsRequest())
    }

    private func bytes(count: UInt32, _ element: [UInt8], times: Int) -> ByteBuffer {
        var body = ByteBuffer()
        body.writeInteger(count)
        body.reserveCapacity(minimumWritableBytes: element.count * times)
        for _ in 0..<times { body.writeBytes(element) }
        return body
    }

    // MARK: Counts

    @Test func arraysThatClaimToBeHugeAreRefused() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            for count: UInt32 in [0x7FFF_FFFF, 0x00FF_FFFF, 200_000] {
                try await self.expectCut(
                    self.bytes(count: count, [0, 1, 0x74], times: 10), key: .metadata, version: 1, by: broker)
            }
        }
    }

    @Test func moreElementsThanTheLimitAreRefused() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.requestElements = 1_000 }) { broker in
            try await self.expectCut(
                self.bytes(count: 1_001, [0, 1, 0x74], times: 1_001), key: .metadata, version: 1, by: broker)
            #expect(broker.log.matching("more than 1000 array elements").count == 1)
            // Numbers count too: partitions of a topic whose offsets a group asks for.
            var topic = ByteBuffer(bytes: [0, 1, 0x67, 0, 0, 0, 1, 0, 1, 0x74])
            topic.writeImmutableBuffer(self.bytes(count: 1_000, [0, 0, 0, 0], times: 1_000))
            try await self.expectCut(topic, key: .offsetFetch, version: 1, by: broker)
        }
    }

    @Test func twentyMillionTaggedFieldsAreRefused() async throws {
        try await withBroker(
            in: TemporaryDirectory(), configure: { $0.limits.connection.frameBytes = 64 << 20 }
        ) { broker in
            var body = ByteBuffer(bytes: [1, 1])
            body.writeBytes([0x80, 0xDA, 0xC4, 0x09])  // 20,000,000
            body.writeRepeatingByte(0, count: 40_000_000)
            try await self.expectCut(body, key: .apiVersions, version: 3, by: broker)
        }
        // By default such a frame is not taken in the first place.
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await self.provenClient(of: broker)
            try await client.send(bytes: [2, 0x62, 0x5A, 0])
            try await client.closedByServer()
        }
    }

    @Test func whatIsAskedForAgainAndAgainIsAnsweredOnce() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.defaultPartitions = 50 }) { broker in
            let client = try await self.provenClient(of: broker)
            _ = try await client.ask(Requests.metadata(["t"]))
            let topics = try await client.ask(Requests.metadata(Array(repeating: "t", count: 20_000))).topics
            #expect(topics.map(\.partitions.count) == [50])
            let resource = DescribeConfigsRequest.DescribeConfigsResource(resourceType: 2, resourceName: "t")
            let configs = try await client.ask(
                DescribeConfigsRequest(resources: Array(repeating: resource, count: 20_000)))
            #expect(configs.results.count == 1)
        }
    }

    /// The offsets of groups were once asked for one within the other, which used up the stack.
    @Test func manyGroupsAreAnsweredInOneRequest() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.eventLoops = 1 }) { broker in
            let client = try await self.provenClient(of: broker)
            let groups = (0..<60_000).map { OffsetFetchRequest.OffsetFetchRequestGroup(groupID: "\($0)", topics: nil) }
            let answer = try await client.ask(OffsetFetchRequest(groups: groups + groups.prefix(30_000)))
            #expect(answer.groups.count == 60_000)
            let names = Array(repeating: "g", count: 50_000)
            #expect(try await client.ask(DescribeGroupsRequest(groups: names)).groups.count == 1)
            let deleted = try await client.ask(DeleteGroupsRequest(groupsNames: names))
            #expect(deleted.results.map(\.errorCode) == Array(repeating: .groupIDNotFound, count: 50_000))
        }
    }

    @Test func topicsThatAreOnlyCheckedCountAsIfTheyWereCreated() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.topics = 3 }) { broker in
            let client = try await self.provenClient(of: broker)
            let topics = (0..<5).map {
                CreateTopicsRequest.CreatableTopic(name: "t\($0)", numPartitions: 1, replicationFactor: 1)
            }
            let answer = try await client.ask(CreateTopicsRequest(topics: topics, validateOnly: true))
            #expect(
                answer.topics.map(\.errorCode) == [.none, .none, .none, .policyViolation, .policyViolation])
        }
    }

    @Test func aFetchOfManyPartitionsIsAnswered() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await self.provenClient(of: broker)
            _ = try await client.ask(try Requests.produce(["a"], to: "t"))
            let partitions = (0..<20_000).map { FetchRequest.FetchPartition(partition: Int32($0)) }
            let answer = try await client.ask(
                FetchRequest(maxWaitMs: 0, maxBytes: 1 << 20, topics: [.init(topic: "t", partitions: partitions)]))
            #expect(answer.responses.first?.partitions.count == 20_000)
        }
    }

    // MARK: Compression

    /// A batch whose one record is zeros, more than a request may decompress to.
    private func bomb(_ codec: CompressionCodec, bytes: Int) throws -> EncodedBatch {
        var builder = RecordBatchBuilder(compression: codec)
        builder.append(timestamp: 1, key: ByteBuffer(string: "k"), value: ByteBuffer(repeating: 0, count: bytes))
        return try builder.finish()
    }

    /// The same as an old producer sends it: a message within a compressed one.
    private func messageSet(_ codec: CompressionCodec, bytes: Int) throws -> ByteBuffer {
        try LegacyWrapper.wrap(LegacyWrapper.message(value: ByteBuffer(repeating: 0, count: bytes)), with: codec)
    }

    @Test(arguments: [CompressionCodec.gzip, .snappy, .lz4]) func bombsOfOldProducersAreRefused(
        _ codec: CompressionCodec
    ) async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.decompressedBytes = 4 << 20 }) { broker in
            let client = try await self.provenClient(of: broker)
            let request = ProduceRequest(
                acks: 1,
                topicData: [
                    .init(
                        name: "t",
                        partitionData: [.init(index: 0, records: try self.messageSet(codec, bytes: 8 << 20))])
                ])
            #expect(try await client.ask(request, version: 2).only.errorCode == .messageTooLarge)
            _ = try await client.ask(ApiVersionsRequest())
        }
    }

    @Test func manyBombsInOneRequestHaveOneBound() async throws {
        try await withBroker(
            in: TemporaryDirectory(),
            configure: {
                $0.limits.decompressedBytes = 4 << 20; $0.defaultPartitions = 40
            }
        ) { broker in
            let client = try await self.provenClient(of: broker)
            let set = try self.messageSet(.gzip, bytes: 3 << 20)
            let request = ProduceRequest(
                acks: 1,
                topicData: [
                    .init(name: "t", partitionData: (0..<40).map { .init(index: $0, records: set) })
                ])
            let answers = try await client.ask(request, version: 2).responses.first?.partitionResponses ?? []
            #expect(answers.map(\.errorCode) == [.none] + Array(repeating: .messageTooLarge, count: 39))
        }
    }

    @Test(arguments: CompressionCodec.allCases.dropFirst()) func bombsThatOldConsumersReadAreErrors(
        _ codec: CompressionCodec
    ) async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.decompressedBytes = 4 << 20 }) { broker in
            let client = try await self.provenClient(of: broker)
            let stored = try await client.ask(Requests.produce(try self.bomb(codec, bytes: 8 << 20), to: "t", acks: 1))
            #expect(stored.only.errorCode == .none)
            let error: ErrorCode = codec == .zstd ? .unsupportedCompressionType : .corruptMessage
            #expect(try await client.ask(Requests.fetch("t"), version: 2).only.errorCode == error)
            // Who reads batches gets it as it is: a small one.
            #expect(try await client.ask(Requests.fetch("t")).only.records?.readableBytes ?? 0 < 1 << 20)
        }
    }

    @Test(arguments: CompressionCodec.allCases.dropFirst()) func bombsThatATopicHasOpenedAreRefused(
        _ codec: CompressionCodec
    ) async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.decompressedBytes = 4 << 20 }) { broker in
            let client = try await self.provenClient(of: broker)
            let topic = CreateTopicsRequest.CreatableTopic(
                name: "t", numPartitions: 1, replicationFactor: 1,
                configs: [.init(name: "cleanup.policy", value: "compact")])
            _ = try await client.ask(CreateTopicsRequest(topics: [topic]))
            let answer = try await client.ask(Requests.produce(try self.bomb(codec, bytes: 8 << 20), to: "t"))
            #expect(answer.only.errorCode == .messageTooLarge)
        }
    }

    @Test func deeplyNestedMessagesAreRefused() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await self.provenClient(of: broker)
            var set = LegacyWrapper.message(value: ByteBuffer(string: "inside"))
            for depth in 1...12 {
                set = try LegacyWrapper.wrap(set, with: .gzip)
                let request = ProduceRequest(
                    acks: 1, topicData: [.init(name: "t", partitionData: [.init(index: 0, records: set)])])
                let code = try await client.ask(request, version: 2).only.errorCode
                #expect(code == (depth <= LegacyMessageSet.maximumNesting ? .none : .corruptMessage), "depth \(depth)")
            }
        }
    }

    // MARK: Peers without manners

    @Test func aFrameMayComeByteByByte() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let slow = try await broker.connect()
            let honest = try await broker.connect()
            var frame = ByteBuffer()
            try Requests.metadata(["t"]).writeFrame(into: &frame, version: 4, correlationID: 9, clientID: "slow")
            for byte in frame.readableBytesView {
                try await slow.send(bytes: [byte])
                _ = try await honest.ask(ApiVersionsRequest())
            }
            let answer = try await slow.answer(to: MetadataRequest.self, version: 4)
            #expect(answer.correlationID == 9 && answer.response.topics.count == 1)
        }
    }

    @Test func halfFramesTakeNoMoreMemoryThanHasArrived() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            var peers: [RawClient] = []
            for _ in 0..<200 {
                let peer = try await broker.connect()
                // A megabyte announced, six bytes sent.
                try await peer.send(bytes: [0, 0x10, 0, 0, 0, 3, 0, 1, 0, 0])
                peers.append(peer)
            }
            try await eventually("all has arrived") { broker.service.statistics.requestBytes >= 200 * 10 }
            #expect(broker.service.statistics.requestBytes == 200 * 10)
            _ = try await broker.connect().ask(ApiVersionsRequest())
            for peer in peers { await peer.close() }
            try await eventually("the bytes are given back") { broker.service.statistics.requestBytes == 0 }
        }
    }

    @Test func peersThatDoNotReadAreCutAndOthersGoOn() async throws {
        try await withBroker(
            in: TemporaryDirectory(),
            configure: {
                $0.durability = .pageCache
                $0.limits.answerBytes = 20 << 20
                $0.limits.connection.stallTime = .milliseconds(60)
            }
        ) { broker in
            let honest = try await self.provenClient(of: broker)
            let value = String(repeating: "x", count: 1_000_000)
            for _ in 0..<16 { _ = try await honest.ask(try Requests.produce([value], to: "t", acks: 1)) }
            var rude: [RawClient] = []
            for _ in 0..<8 {
                let peer = try await RawClient.connect(port: broker.port, reads: false)
                try await peer.send(Requests.fetch("t", maxBytes: 32 << 20))
                rude.append(peer)
            }
            try await eventually("those who take nothing are cut") {
                broker.service.statistics.stalledConnections > 0
            }
            // Whoever reads is served whatever others do.
            #expect(try await honest.ask(Requests.fetch("t", maxBytes: 2 << 20)).only.errorCode == .none)
            #expect(broker.log.matching("it does not take the").count > 0)
            for peer in rude { await peer.close() }
            try await eventually("the bytes are given back") { broker.service.statistics.answerBytes == 0 }
        }
    }
}
