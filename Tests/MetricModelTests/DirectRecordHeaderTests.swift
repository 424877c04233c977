import MetricModel
import Testing

@Suite struct DirectRecordHeaderTests {
    private func parse(_ line: String) throws -> DirectRecordHeader {
        var line = line
        return try line.withUTF8 { bytes in
            try DirectRecordHeader(parsing: UnsafeRawBufferPointer(bytes))
        }
    }

    @Test func `a header is a comment of the text format and reads back`() throws {
        let header = DirectRecordHeader(
            byteCount: 118, sampleCount: 2, timestamp: Timestamp(milliseconds: 1_767_225_600_000),
            topic: "metrics.load", instance: "web-1")
        #expect(
            header.line
                == "# weir-record bytes=118 samples=2 timestamp=1767225600000 topic=metrics.load instance=web-1\n")
        #expect(try parse(String(header.line.dropLast())) == header)
    }

    @Test(arguments: ["", "two words", #"back\slash"#, "line\nfeed", "a\r\nb", "naïve=ø", #"\n"#])
    func `an instance may be any text`(_ instance: String) throws {
        let header = DirectRecordHeader(
            byteCount: 0, sampleCount: 0, timestamp: Timestamp(milliseconds: -1), topic: "t", instance: instance)
        #expect(header.line.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        #expect(try parse(String(header.line.dropLast())) == header)
    }

    @Test(
        arguments: [
            ("# HELP weir-record", .noHeader),
            ("# weir-record ", .invalidField("bytes")),
            ("# weir-record bytes=x samples=1 timestamp=1 topic=t instance=i", .invalidField("bytes")),
            ("# weir-record bytes=-1 samples=1 timestamp=1 topic=t instance=i", .invalidField("bytes")),
            (
                "# weir-record bytes=99999999999999999999 samples=1 timestamp=1 topic=t instance=i",
                .invalidField("bytes")
            ),
            ("# weir-record samples=1 bytes=1 timestamp=1 topic=t instance=i", .invalidField("bytes")),
            ("# weir-record bytes=1 samples=1 timestamp= topic=t instance=i", .invalidField("timestamp")),
            ("# weir-record bytes=1 samples=1 timestamp=1 topic= instance=i", .invalidField("topic")),
            ("# weir-record bytes=1 samples=1 timestamp=1 topic=t", .invalidField("topic")),
            ("# weir-record bytes=1 samples=1 timestamp=1 topic=t host=i", .invalidField("instance")),
        ] as [(String, DirectRecordError)])
    func `what is no header says which field is wrong`(_ line: String, _ error: DirectRecordError) {
        #expect(throws: error) { try parse(line) }
    }
}
