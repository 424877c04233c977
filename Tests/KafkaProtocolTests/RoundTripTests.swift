import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import ProtocolGenerator

@Suite("Round trip: random messages at every version")
struct RoundTripTests {
    static let samplesPerVersion = 8

    @Test("the tests know every message of the catalog, and its versions")
    func completeness() throws {
        #expect(Set(messagesByName.keys) == Set(schemasByName.keys))
        for (name, type) in messagesByName {
            let schema = try #require(schemasByName[name])
            #expect(type.supportedVersions == Int16(schema.versions.first)...Int16(schema.versions.last))
            for version in type.supportedVersions {
                #expect(type.isFlexible(version) == schema.isFlexible(Int(version)))
            }
        }
    }

    @Test("a decoded message is encoded to the bytes it came from", arguments: messagesByName.keys.sorted())
    func roundTrip(name: String) throws {
        var random = SeededGenerator(for: "round trip of \(name)")
        let type = try #require(messagesByName[name])
        try check(type, schema: try #require(schemasByName[name]), random: &random)
    }

    private func check<Message: KafkaMessage & Equatable>(
        _ type: Message.Type, schema: MessageSchema, random: inout SeededGenerator
    ) throws {
        for version in type.supportedVersions {
            for _ in 0..<Self.samplesPerVersion {
                let seed = random.next()
                let sample = WireSample(schema, version: Int(version), seed: seed)
                let message = try Message.decode(sample.bytes, version: version)
                #expect(try message.encoded(version: version) == sample.bytes, "\(type) \(version)")

                guard type.isFlexible(version) else { continue }
                let withTags = WireSample(schema, version: Int(version), seed: seed, hasUnknownTags: true)
                #expect(try Message.decode(withTags.bytes, version: version) == message, "\(type) \(version)")
            }
        }
    }

    @Test("the default message can be written and read at every version", arguments: messagesByName.keys.sorted())
    func defaults(name: String) throws {
        func check<Message: KafkaMessage & Equatable>(_ type: Message.Type) throws {
            for version in type.supportedVersions {
                let bytes = try Message().encoded(version: version)
                let message = try Message.decode(bytes, version: version)
                #expect(message == Message(), "\(type) \(version)")
            }
        }
        let type = try #require(messagesByName[name])
        try check(type)
    }

    @Test("a version that is not supported is an error, in both directions", arguments: messagesByName.keys.sorted())
    func unsupportedVersions(name: String) throws {
        let type = try #require(messagesByName[name])
        let supported = type.supportedVersions
        for version in [Int16.min, -1, supported.lowerBound - 1, supported.upperBound + 1, .max] {
            let reason = ProtocolError.Reason.unsupportedVersion(version, supported: supported)
            #expect(throws: ProtocolError(reason, field: name)) { try type.init().encoded(version: version) }
            #expect(throws: ProtocolError(reason, field: name)) { try type.decode([], version: version) }
        }
    }
}
