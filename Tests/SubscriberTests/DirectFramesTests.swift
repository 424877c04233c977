import MetricModel
import NIOCore
import TestKit
import Testing

@testable import Subscriber

/// The stream of a direct connection, cut into records and lines.
@Suite struct DirectFramesTests {
    private func record(_ text: String, instance: String = "lab", topic: String = "metrics.up") -> String {
        DirectRecordHeader(
            byteCount: text.utf8.count, sampleCount: 1, timestamp: Timestamp(milliseconds: 1_700_000_000_000),
            topic: topic, instance: instance
        ).line + text
    }

    /// What comes out when the stream arrives in pieces of these lengths; lines that follow each other are joined.
    private func frames(
        _ stream: String, pieces: [Int], limits: DirectLimits = DirectLimits()
    ) throws -> (frames: [String], endsBetween: Bool) {
        var frames = DirectFrames(limits: limits)
        var result: [String] = []
        var rest = ByteBuffer(string: stream)
        var lengths = pieces.makeIterator()
        var lines = ""
        func endLines() {
            if !lines.isEmpty { result.append("lines: \(lines)") }
            lines = ""
        }
        while rest.readableBytes > 0 {
            let length = min(lengths.next() ?? rest.readableBytes, rest.readableBytes)
            guard let piece = rest.readSlice(length: length) else { break }
            frames.receive(piece)
            while let frame = try frames.next() {
                switch frame {
                case .record(let header, let text):
                    endLines()
                    result.append("\(header.topic) of \(header.instance): \(String(buffer: text))")
                case .lines(let text): lines += String(buffer: text)
                }
            }
        }
        endLines()
        return (result, frames.isBetweenRecords)
    }

    @Test func `records and lines come out as they went in, however the bytes arrive`() throws {
        let stream =
            record("up 1\nup 2\n") + "# HELP loose A comment.\nloose 1\nloose 2\n" + record("")
            + record("no line feed") + "#\n# weird\nlast 3\n" + record("up 3\n", instance: "two words")
        let expected = [
            "metrics.up of lab: up 1\nup 2\n", "lines: # HELP loose A comment.\nloose 1\nloose 2\n",
            "metrics.up of lab: ", "metrics.up of lab: no line feed", "lines: #\n# weird\nlast 3\n",
            "metrics.up of two words: up 3\n",
        ]
        #expect(try frames(stream, pieces: []).frames == expected)
        #expect(try frames(stream, pieces: Array(repeating: 1, count: stream.utf8.count)).frames == expected)
        var random = SeededGenerator()
        for _ in 0..<200 {
            let pieces = (0..<stream.utf8.count).map { _ in Int.random(in: 1...40, using: &random) }
            let result = try frames(stream, pieces: pieces)
            #expect(result.frames == expected)
            #expect(result.endsBetween)
        }
    }

    @Test(arguments: ["up 1", "# weir-rec", "# weir-record bytes=9 samples=1 timestamp=1 topic=t instance=i\nup 1"])
    func `half a line or record is none`(_ end: String) throws {
        let result = try frames("up 0\n" + end, pieces: [])
        #expect(result.frames == ["lines: up 0\n"])
        #expect(!result.endsBetween)
    }

    @Test func `limits end a stream before it takes memory`() throws {
        var limits = DirectLimits()
        limits.recordBytes = 100
        limits.lineBytes = 50
        #expect(throws: DirectFrameError.limit(.recordBytes, bytes: 101, maximum: 100)) {
            try frames(record(String(repeating: "x", count: 101)), pieces: [], limits: limits)
        }
        #expect(try frames(record(String(repeating: "x", count: 100)), pieces: [], limits: limits).frames.count == 1)
        let long = String(repeating: "x", count: 1000)
        #expect(throws: DirectFrameError.limit(.lineBytes, bytes: 60, maximum: 50)) {
            try frames(long, pieces: Array(repeating: 20, count: 50), limits: limits)
        }
        #expect(throws: DirectFrameError.self) { try frames("# weir-record " + long + long + long, pieces: []) }
    }

    @Test func `a comment that is nearly a header is an error that names the field`() {
        #expect(throws: DirectFrameError.header(.invalidField("bytes"))) {
            try frames("# weir-record once upon a time\n", pieces: [])
        }
    }
}
