import KafkaProtocol
import NIOCore
import Testing

@Suite("Encoding: what a version cannot say is refused")
struct EncodingRuleTests {
    private func reason(_ message: some KafkaMessage, version: Int16) -> ProtocolError.Reason? {
        var buffer = ByteBuffer()
        do throws(ProtocolError) {
            try message.encode(into: &buffer, version: version)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("a value that matters is refused in a version without the field")
    func missingField() {
        let request = HeartbeatRequest(groupID: "g", groupInstanceID: "static")
        #expect(reason(request, version: 2) == .fieldNotInVersion(2))
        #expect(reason(request, version: 3) == nil)
        #expect(reason(MetadataRequest(allowAutoTopicCreation: false), version: 3) == .fieldNotInVersion(3))
        let leader = FetchResponse.LeaderIdAndEpoch(leaderID: 1, leaderEpoch: 2)
        let response = FetchResponse(responses: [.init(topic: "t", partitions: [.init(currentLeader: leader)])])
        #expect(reason(response, version: 11) == .fieldNotInVersion(11))
        #expect(reason(response, version: 12) == nil)
    }

    @Test("a value that does no harm is dropped in a version without the field")
    func ignorableField() throws {
        let response = ProduceResponse(throttleTimeMs: 5)
        let bytes = try response.encoded(version: 0)
        #expect(try ProduceResponse.decode(bytes, version: 0) == ProduceResponse())
    }

    @Test("null is refused in a version that cannot say it")
    func null() {
        #expect(reason(MetadataRequest(topics: nil), version: 0) == .nullInVersion(0))
        #expect(reason(MetadataRequest(topics: nil), version: 1) == nil)
        #expect(reason(JoinGroupResponse(protocolName: nil), version: 6) == .nullInVersion(6))
        #expect(reason(JoinGroupResponse(protocolName: nil), version: 7) == nil)
    }

    @Test("a string of more than 32767 bytes is refused")
    func longString() {
        let text = String(repeating: "é", count: 16_384)
        #expect(reason(HeartbeatRequest(groupID: text), version: 0) == .valueTooLong(32_768, maximum: 32_767))
        #expect(reason(HeartbeatRequest(groupID: text), version: 4) == .valueTooLong(32_768, maximum: 32_767))
        #expect(reason(HeartbeatRequest(groupID: String(text.dropLast())), version: 0) == nil)
    }

    @Test("record batches come out as slices of the frame, not as copies")
    func slices() throws {
        let records = ByteBuffer(bytes: Array(repeating: 7, count: 1000))
        let partition = ProduceRequest.PartitionProduceData(index: 0, records: records)
        let request = ProduceRequest(acks: -1, topicData: [.init(name: "t", partitionData: [partition])])
        var buffer = ByteBuffer()
        try request.encode(into: &buffer, version: 9)

        var reader = MessageReader(buffer)
        let decoded = try ProduceRequest(decoding: &reader, version: 9)
        let slice = try #require(decoded.topicData[0].partitionData[0].records)
        #expect(slice == records)
        let whole = buffer.withUnsafeReadableBytes { UnsafeRawBufferPointer($0) }
        slice.withUnsafeReadableBytes { part in
            #expect(whole.baseAddress.map { $0 <= part.baseAddress! } == true)
            #expect(part.baseAddress! < whole.baseAddress! + whole.count)
        }
    }

    @Test("data carries its version in front, and a newer one may be read as the newest known")
    func versionedData() throws {
        let subscription = ConsumerProtocolSubscription(topics: ["a"], generationID: 7)
        var bytes = try subscription.versionedBytes(version: 2)
        #expect(ConsumerProtocolSubscription.version(of: bytes) == 2)
        #expect(try ConsumerProtocolSubscription(versioned: bytes) == subscription)

        bytes = try subscription.versionedBytes(version: 3)
        bytes.setInteger(Int16(9), at: bytes.readerIndex)
        bytes.writeString("what version 9 appends")
        #expect(throws: ProtocolError.self) { try ConsumerProtocolSubscription(versioned: bytes) }
        #expect(try ConsumerProtocolSubscription(versioned: bytes, acceptingNewer: true) == subscription)
    }
}
