import KafkaProtocol
import NIOCore
import Testing

@Suite("Golden bytes: kafka-python and we agree")
struct GoldenTests {
    @Test("the fixture covers every message at every version, filled and sparse")
    func coverage() {
        var expected: Set<String> = []
        for type in allMessages {
            for version in type.supportedVersions {
                expected.insert("\(type) \(version) filled")
                expected.insert("\(type) \(version) sparse")
            }
        }
        #expect(Set(GoldenFile.cases.map(\.description)) == expected)
    }

    @Test("decoding finds each value in its field", arguments: messagesByName.keys.sorted())
    func decoding(name: String) throws {
        let type = try #require(messagesByName[name])
        for golden in GoldenFile.cases where golden.message == name {
            let message = try type.decode(golden.bytes, version: golden.version)
            let found = Set(ValueDump.lines(message))
            let missing = golden.values.filter { !found.contains($0) }
            #expect(missing.isEmpty, "\(golden): \(missing)")
        }
    }

    @Test("what is decoded is encoded to the same bytes", arguments: messagesByName.keys.sorted())
    func encoding(name: String) throws {
        let type = try #require(messagesByName[name])
        for golden in GoldenFile.cases where golden.message == name {
            let message = try type.decode(golden.bytes, version: golden.version)
            let bytes = try message.encoded(version: golden.version)
            #expect(ValueDump.hex(bytes) == ValueDump.hex(golden.bytes), "\(golden)")
        }
    }

    @Test("request and response headers have the right version and bytes")
    func headers() throws {
        let rows = GoldenFile.rows(of: "headers.txt")
        #expect(rows.count == 2 * APIKey.allCases.map(\.supportedVersions.count).reduce(0, +))
        for row in rows {
            let type = try #require(messagesByName[row[0]])
            let version = try #require(Int16(row[1]))
            let bytes = try #require(GoldenFile.bytes(hex: row[2]))
            var buffer = ByteBuffer()
            var reader = MessageReader(ByteBuffer(bytes: bytes))
            if let request = type as? any KafkaRequest.Type {
                let header = RequestHeader(
                    apiKey: request.apiKey, apiVersion: version, correlationID: 0x0102_0304, clientID: "wéir")
                try header.encode(into: &buffer)
                #expect(try RequestHeader(decoding: &reader) == header, "\(row)")
            } else if let response = type as? any KafkaResponse.Type {
                let header = ResponseHeader(correlationID: 0x0102_0304)
                header.encode(into: &buffer, apiKey: response.apiKey, apiVersion: version)
                let decoded = try ResponseHeader(decoding: &reader, apiKey: response.apiKey, apiVersion: version)
                #expect(decoded == header, "\(row)")
            }
            #expect(Array(buffer.readableBytesView) == bytes, "\(row)")
            try reader.finish()
        }
    }

    @Test("error codes have Kafka's names")
    func errorCodes() throws {
        let rows = GoldenFile.rows(of: "error-codes.txt")
        #expect(rows.count > 100)
        // Where kafka-python has a name of its own for Kafka's.
        let renamed = [
            "UNKNOWN": "UNKNOWN_SERVER_ERROR", "NO_ERROR": "NONE", "NOT_LEADER_FOR_PARTITION": "NOT_LEADER_OR_FOLLOWER",
            "MESSAGE_SIZE_TOO_LARGE": "MESSAGE_TOO_LARGE", "INVALID_TOPIC": "INVALID_TOPIC_EXCEPTION",
            "INVALID_REPLICATION_ASSIGNMENT": "INVALID_REPLICA_ASSIGNMENT",
        ]
        for row in rows {
            let code = ErrorCode(rawValue: try #require(Int16(row[0])))
            #expect(code.name == renamed[row[1]] ?? row[1])
        }
    }
}
