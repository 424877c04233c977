import KafkaProtocol
import NIOCore
import Testing

@Suite("Limits: what a length may claim")
struct LimitTests {
    private func reason<Message: KafkaMessage>(
        _ type: Message.Type, _ bytes: [UInt8], version: Int16
    ) -> ProtocolError.Reason? {
        var reader = MessageReader(ByteBuffer(bytes: bytes))
        do throws(ProtocolError) {
            _ = try Message(decoding: &reader, version: version)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("a count that the remaining bytes cannot hold is refused before anything is reserved")
    func hugeCounts() {
        #expect(
            reason(MetadataRequest.self, [0x7F, 0xFF, 0xFF, 0xFF, 0, 0], version: 0)
                == .countTooLarge(0x7FFF_FFFF, remaining: 2))
        #expect(
            reason(MetadataRequest.self, [0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0, 0], version: 9)
                == .countTooLarge(0x7FFF_FFFE, remaining: 2))
        #expect(
            reason(DescribeGroupsRequest.self, [0, 0, 0, 9, 0, 1], version: 0) == .countTooLarge(9, remaining: 2))
        // Numbers in an array: four bytes each.
        let topic: [UInt8] = [0, 0, 0, 1, 0, 1, 0x74, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1]
        #expect(
            reason(OffsetFetchRequest.self, [0, 1, 0x67] + topic, version: 1) == .countTooLarge(3, remaining: 8))
    }

    @Test("a count that could be true is believed only as the elements come")
    func plausibleCount() {
        // Three million topics in thirty million bytes, whose second element already is wrong.
        var bytes: [UInt8] = [0x00, 0x2D, 0xC6, 0xC0, 0, 1, 0x74, 0x80, 0]
        bytes += Array(repeating: 0, count: 30_000_000)
        #expect(reason(MetadataRequest.self, bytes, version: 0) == .invalidLength(-32768, maximum: 32767))
    }

    @Test("what arrays may bring in all is limited, since empty strings are small on the wire and large in memory")
    func manyElements() {
        let count = MessageReader.maximumElements + 1
        let groups: [UInt8] = Array(repeating: 1, count: count)
        // The count plus one, as a varint.
        let length = stride(from: 0, to: 28, by: 7).map { shift in
            UInt8((count + 1) >> shift & 0x7F) | (shift < 21 ? 0x80 : 0)
        }
        #expect(
            reason(DescribeGroupsRequest.self, length + groups, version: 5)
                == .tooManyElements(maximum: MessageReader.maximumElements))
    }

    @Test("lengths below -1, and strings above 32767 bytes, are refused")
    func invalidLengths() {
        #expect(reason(HeartbeatRequest.self, [0xFF, 0xFE], version: 0) == .invalidLength(-2, maximum: 32767))
        #expect(
            reason(HeartbeatRequest.self, [0x81, 0x80, 0x02], version: 4) == .invalidLength(32768, maximum: 32767))
        #expect(
            reason(DescribeGroupsRequest.self, [0xFF, 0xFF, 0xFF, 0xFE], version: 0)
                == .invalidLength(-2, maximum: Int(Int32.max)))
        #expect(
            reason(DescribeGroupsRequest.self, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], version: 5)
                == .invalidLength(Int(UInt32.max) - 1, maximum: Int(Int32.max)))
    }

    @Test("a varint of more than 32 bits is refused")
    func longVarints() {
        #expect(reason(HeartbeatRequest.self, [0x80, 0x80, 0x80, 0x80, 0x10], version: 4) == .varintTooLong)
        #expect(reason(HeartbeatRequest.self, [0x80, 0x80, 0x80, 0x80, 0x80, 0x01], version: 4) == .varintTooLong)
    }

    @Test("null where a value is needed is refused")
    func nulls() {
        #expect(reason(HeartbeatRequest.self, [0xFF, 0xFF], version: 0) == .unexpectedNull)
        #expect(reason(HeartbeatRequest.self, [0], version: 4) == .unexpectedNull)
        #expect(reason(MetadataRequest.self, [0xFF, 0xFF, 0xFF, 0xFF], version: 0) == .unexpectedNull)
        #expect(reason(MetadataRequest.self, [0xFF, 0xFF, 0xFF, 0xFF], version: 1) == nil)
        #expect(reason(SyncGroupResponse.self, [0, 0, 0xFF, 0xFF, 0xFF, 0xFF], version: 0) == .unexpectedNull)
    }

    @Test("text that is not UTF-8 is refused")
    func invalidText() {
        for text: [UInt8] in [[0xC3, 0x28], [0xED, 0xA0, 0x80], [0xFF], [0xC0, 0x80]] {
            #expect(
                reason(HeartbeatRequest.self, [0, UInt8(text.count)] + text, version: 0) == .invalidUTF8)
        }
    }

    @Test("tagged fields: unknown ones are skipped, their number and size are checked")
    func taggedFields() throws {
        #expect(reason(ListGroupsRequest.self, [2, 9, 1, 0xAA, 0x81, 0x01, 0], version: 3) == nil)
        #expect(
            reason(ListGroupsRequest.self, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], version: 3)
                == .countTooLarge(Int(UInt32.max), remaining: 0))
        #expect(reason(ListGroupsRequest.self, [1, 0, 5, 0], version: 3) == .truncated(needed: 5, remaining: 1))
        // A known tagged field (zkMigrationReady, 3) of two bytes where one is meant, and of none.
        let start: [UInt8] = [0, 0, 1, 0, 0, 0, 0]
        #expect(reason(ApiVersionsResponse.self, start + [1, 3, 1, 1], version: 3) == nil)
        #expect(reason(ApiVersionsResponse.self, start + [1, 3, 2, 1, 0], version: 3) == .taggedFieldSize(unread: 1))
        #expect(
            reason(ApiVersionsResponse.self, start + [1, 3, 0, 9], version: 3) == .truncated(needed: 1, remaining: 0))
    }

    @Test("the error names the message, the path to the field and the byte")
    func description() {
        let bytes: [UInt8] = [0, 0, 0, 1, 0, 1, 0x74, 0, 0]
        #expect {
            try ListOffsetsResponse.decode(bytes, version: 1)
        } throws: { error in
            "\(error)" == "ListOffsetsResponse.topics.partitions at byte 7: needs 4 bytes, 2 remain"
        }
    }
}
