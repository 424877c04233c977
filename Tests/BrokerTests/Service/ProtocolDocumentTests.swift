import FoundationEssentials
import NIOCore
import TestKit
import Testing

@testable import Broker

/// docs/protocol.md shows a real exchange: what stands there is sent, and what the broker answers stands there.
@Suite struct ProtocolDocumentTests {
    private enum Direction: String {
        case request, response
    }

    /// A hex dump of the document: one frame.
    private struct Dump {
        let direction: Direction
        /// The line of the document at which it begins.
        let line: Int
        var bytes: [UInt8] = []
    }

    private static func dumps() throws -> [Dump] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/protocol.md"), encoding: .utf8)
        var dumps: [Dump] = []
        var isInside = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") {
                isInside = line.hasPrefix("```hex ")
                if isInside {
                    let direction = try #require(Direction(rawValue: String(line.dropFirst(7))), "line \(index + 1)")
                    dumps.append(Dump(direction: direction, line: index + 1))
                }
            } else if isInside {
                let bytes = Self.bytes(at: line)
                try #require(!bytes.isEmpty, "line \(index + 1) of a dump begins with bytes")
                dumps[dumps.count - 1].bytes += bytes
            }
        }
        return dumps
    }

    /// The bytes with which a line begins; what they mean comes after two spaces.
    private static func bytes(at line: Substring) -> [UInt8] {
        let dump = line.firstRange(of: "  ").map { line[..<$0.lowerBound] } ?? line
        return dump.split(separator: " ").map { $0.count == 2 ? UInt8($0, radix: 16) : nil }.reduce(into: []) {
            if let byte = $1 { $0.append(byte) }
        }
    }

    @Test func everyRequestIsAnsweredAsTheDocumentSays() async throws {
        let dumps = try Self.dumps()
        #expect(dumps.filter { $0.direction == .request }.count == 16)
        #expect(dumps.filter { $0.direction == .response }.count == 15, "one request has acks=0")
        try await withBroker(
            in: TemporaryDirectory(),
            configure: {
                $0.advertisedHost = "127.0.0.1"
                $0.advertisedPort = 9092
            }
        ) { broker in
            let client = try await broker.connect()
            for dump in dumps {
                switch dump.direction {
                case .request:
                    try await client.send(bytes: dump.bytes)
                case .response:
                    let content = try await client.frame()
                    var frame = ByteBuffer(integer: Int32(content.readableBytes))
                    frame.writeImmutableBuffer(content)
                    #expect(
                        Array(frame.readableBytesView) == dump.bytes,
                        "docs/protocol.md, line \(dump.line); the broker says \(Self.hex(frame))")
                }
            }
            #expect(!client.hasNews, "the broker said more than the document shows")
        }
    }

    @Test func everyLengthInTheDocumentIsTheFrames() throws {
        for dump in try Self.dumps() {
            let length = ByteBuffer(bytes: dump.bytes).getInteger(at: 0, as: Int32.self)
            #expect(length.map { Int($0) } == dump.bytes.count - 4, "line \(dump.line)")
        }
    }

    private static func hex(_ bytes: ByteBuffer) -> String {
        bytes.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
