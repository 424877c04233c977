import KafkaProtocol
import NIOCore
import TestKit
import Testing

@Suite("Hostile input: an error, never a trap")
struct HostileInputTests {
    static let names = messagesByName.keys.sorted()

    @Test("a message cut off at any byte is an error that says where", arguments: names)
    func truncation(name: String) throws {
        let type = try #require(messagesByName[name])
        for golden in GoldenFile.cases where golden.message == name {
            for length in 0..<golden.bytes.count {
                do {
                    _ = try type.decode(Array(golden.bytes[..<length]), version: golden.version)
                    Issue.record("\(golden) was read from \(length) of its \(golden.bytes.count) bytes")
                } catch let error as ProtocolError {
                    let position = try #require(error.position)
                    #expect(position <= length)
                }
            }
        }
    }

    @Test("random bytes are a message or an error", arguments: names)
    func randomBytes(name: String) throws {
        var random = SeededGenerator(for: "random bytes as \(name)")
        let type = try #require(messagesByName[name])
        for version in type.supportedVersions {
            for _ in 0..<50 {
                let count = Int.random(in: 0...120, using: &random)
                // Small numbers make plausible lengths, so that decoding gets further.
                let limit = [UInt8.max, 15, 3].randomElement(using: &random) ?? .max
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...limit, using: &random) }
                try decodeAnything(type, bytes, version: version)
            }
        }
    }

    @Test("a message with some bytes changed is a message or an error", arguments: names)
    func mutations(name: String) throws {
        var random = SeededGenerator(for: "mutated \(name)")
        let type = try #require(messagesByName[name])
        for golden in GoldenFile.cases where golden.message == name && !golden.bytes.isEmpty {
            for _ in 0..<40 {
                var bytes = golden.bytes
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let index = Int.random(in: 0..<bytes.count, using: &random)
                    bytes[index] =
                        [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)]
                        .randomElement(using: &random) ?? 0
                }
                try decodeAnything(type, bytes, version: golden.version)
            }
        }
    }

    @Test("lengths at the ends of their range, at any place, are a message or an error", arguments: names)
    func extremeLengths(name: String) throws {
        let type = try #require(messagesByName[name])
        let extremes: [[UInt8]] = [
            [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFE], [0x00, 0x7F, 0xFF, 0xFF],
            [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
        ]
        for golden in GoldenFile.cases where golden.message == name && golden.variant == "filled" {
            for index in golden.bytes.indices {
                let extreme = extremes[index % extremes.count]
                var bytes = golden.bytes
                bytes.replaceSubrange(index..<min(index + extreme.count, bytes.count), with: extreme)
                try decodeAnything(type, bytes, version: golden.version)
            }
        }
    }

    /// Decodes; if that succeeds, what comes out can be written, and reads as the same again.
    private func decodeAnything<Message: KafkaMessage & Equatable>(
        _ type: Message.Type, _ bytes: [UInt8], version: Int16
    ) throws {
        var reader = MessageReader(ByteBuffer(bytes: bytes))
        guard let message = try? Message(decoding: &reader, version: version) else { return }
        let again = try Message.decode(message.encoded(version: version), version: version)
        #expect(again == message)
    }
}
