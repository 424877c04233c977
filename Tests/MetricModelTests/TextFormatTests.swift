import MetricModel
import TestKit
import Testing

/// What the parser said about a text, owned so that tests can look at it later.
private struct Outcome: Equatable {
    struct Line: Equatable {
        var series: String
        var value: Double
        var timestamp: Int64
        var lineNumber: Int
    }
    var lines: [Line] = []
    var errors: [TextFormatError] = []

    init(_ bytes: [UInt8], limits: TextFormat.Limits = TextFormat.Limits()) {
        bytes.withUnsafeBytes { buffer in
            TextFormat.forEachLine(in: buffer, defaultTimestamp: Timestamp(milliseconds: 7), limits: limits) {
                errors.append($0)
            } _: {
                lines.append(
                    Line(
                        series: String(decoding: $0.series, as: UTF8.self), value: $0.value,
                        timestamp: $0.timestamp.milliseconds, lineNumber: $0.lineNumber))
            }
        }
    }

    init(_ text: String, limits: TextFormat.Limits = TextFormat.Limits()) {
        self.init(Array(text.utf8), limits: limits)
    }
}

@Suite struct TextFormatParserTests {
    @Test func `a text as Prometheus's documentation shows it`() throws {
        let outcome = Outcome(
            #"""
            # HELP http_requests_total The total number of HTTP requests.
            # TYPE http_requests_total counter
            http_requests_total{method="post",code="200"} 1027 1395066363000
            http_requests_total{method="post",code="400"}    3 1395066363000

            # Escaping in label values:
            msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

            # Minimalistic line:
            metric_without_timestamp_and_labels 12.47

            # A weird metric from before the epoch:
            something_weird{problem="division by zero"} +Inf -3982045

            http_request_duration_seconds_bucket{le="0.05"} 24054
            """#)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.lines.map(\.value) == [1027, 3, 1.458255915e9, 12.47, .infinity, 24054])
        #expect(outcome.lines.map(\.timestamp) == [1_395_066_363_000, 1_395_066_363_000, 7, 7, -3_982_045, 7])
        #expect(outcome.lines.map(\.lineNumber) == [3, 4, 7, 10, 13, 15])
        #expect(outcome.lines[0].series == #"http_requests_total{method="post",code="200"}"#)
        let escaped = try Labels(parsing: outcome.lines[2].series)
        #expect(escaped["path"] == #"C:\DIR\FILE.TXT"#)
        #expect(escaped["error"] == "Cannot find file:\n\"FILE.TXT\"")
    }

    @Test(
        arguments: [
            ("a 1", "a", 1), ("a{} 1", "a{}", 1), ("a{}1", "a{}", 1), (" \ta\t 1 \r", "a", 1), ("a:b 1", "a:b", 1),
            (#"a { b = "c" , } 1"#, #"a { b = "c" , }"#, 1), (#"{"my.name",b="c"} 1"#, #"{"my.name",b="c"}"#, 1),
            (#"{__name__="a"} 1"#, #"{__name__="a"}"#, 1), (#"a{b="}"} 1"#, #"a{b="}"}"#, 1),
            (#"a{b="\\"} 1"#, #"a{b="\\"}"#, 1), (#"a{b="ü ☃"} 1"#, #"a{b="ü ☃"}"#, 1),
            ("a -Inf", "a", -.infinity), ("a inf", "a", .infinity), ("a -0", "a", -0.0), ("a .5", "a", 0.5),
            ("a 5.", "a", 5), ("a +1e-3", "a", 0.001),
        ] as [(String, String, Double)])
    func `a line that is a sample`(text: String, series: String, value: Double) throws {
        let outcome = Outcome(text)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.lines == [.init(series: series, value: value, timestamp: 7, lineNumber: 1)])
        #expect(try !Labels(parsing: series).metricName.isEmpty)
    }

    @Test(arguments: ["NaN", "nan", "NAN"])
    func `not a number is a value`(text: String) throws {
        #expect(try #require(Outcome("a \(text)").lines.first).value.isNaN)
    }

    @Test(
        arguments: [
            ("a", .missingValue), ("a{", .unterminatedLabels), (#"a{b="c"#, .unterminatedQuote),
            (#"a{b="c\"#, .unterminatedQuote), (#"a{b="c""#, .unterminatedLabels), (#"a{b="c"}"#, .missingValue),
            (#"a{b="c" d="e"} 1"#, .missingComma), ("a{b} 1", .missingEquals(label: "b")),
            ("a{b=c} 1", .valueNotQuoted(label: "b")), (#"a{b="1",b="2"} 1"#, .duplicateLabel("b")),
            (#"a{"b","c"} 1"#, .nameGivenTwice), (#"a{__name__="b"} 1"#, .nameGivenTwice),
            (#"{b="c"} 1"#, .missingName), (#"{""} 1"#, .missingName), ("1a 1", .invalidName("1a")),
            ("a-b 1", .invalidName("a-b")), (#"a{1b="c"} 1"#, .invalidName("1b")), (#"a{-="c"} 1"#, .invalidName("-")),
            (#"a{,} 1"#, .invalidName(",")), (#"a{""="c"} 1"#, .invalidName("")), ("-1", .missingName),
            ("a x", .invalidNumber("x")), ("a 1x", .invalidNumber("1x")), ("a 0x1p3", .invalidNumber("0x1p3")),
            ("a 1_0", .invalidNumber("1_0")), ("a .", .invalidNumber(".")), ("a 1e", .invalidNumber("1e")),
            ("a 1e+", .invalidNumber("1e+")), ("a --1", .invalidNumber("--1")), ("a nan(1)", .invalidNumber("nan(1)")),
            ("a 1 1.5", .invalidTimestamp("1.5")), ("a 1 x", .invalidTimestamp("x")),
            ("a 1 9223372036854775808", .invalidTimestamp("9223372036854775808")),
            ("a 1 2 3", .textAfterSample("3")),
        ] as [(String, TextFormatError.Reason)])
    func `a line that is no sample says why`(text: String, reason: TextFormatError.Reason) throws {
        let outcome = Outcome("before 1\n\(text)\nafter 1\n")
        let error = try #require(outcome.errors.first)
        #expect(error.reason == reason)
        #expect(error.lineNumber == 2)
        #expect(error.text == text)
        #expect(outcome.lines.map(\.series) == ["before", "after"])
    }

    @Test func `label text that is not UTF-8 is refused and shown repaired`() throws {
        let outcome = Outcome(Array(#"a{b=""#.utf8) + [0xC3, 0x28] + Array(#""} 1"#.utf8))
        let error = try #require(outcome.errors.first)
        #expect(error.reason == .notUTF8)
        #expect(error.text == "a{b=\"\u{FFFD}(\"} 1")
    }

    @Test func `an escaped name is the same name`() {
        let series = #"a{"b\\c"="1","b\c"="2"}"#
        let error = #expect(throws: TextFormatError.self) { try Labels(parsing: series) }
        #expect(error?.reason == .duplicateLabel(#"b\c"#))
    }

    @Test func `what exceeds a limit names the limit`() throws {
        let limits = TextFormat.Limits(
            maximumLineBytes: 60, maximumLabels: 2, maximumNameBytes: 4, maximumLabelValueBytes: 3)
        func reason(_ text: String) throws -> TextFormatError.Reason {
            try #require(Outcome(text, limits: limits).errors.first).reason
        }
        #expect(Outcome(#"name{a="123",b="1"} 1"#, limits: limits).errors.isEmpty)
        #expect(try reason("names 1") == .nameTooLong("names", maximumNameBytes: 4))
        #expect(try reason(#"a{names="1"} 1"#) == .nameTooLong("names", maximumNameBytes: 4))
        #expect(try reason(#"a{b="1234"} 1"#) == .labelValueTooLong(label: "b", maximumLabelValueBytes: 3))
        #expect(try reason(#"a{b="1",c="2",d="3"} 1"#) == .tooManyLabels(maximumLabels: 2))
        let long = "a " + String(repeating: "1", count: 60)
        #expect(try reason(long) == .lineTooLong(bytes: 62, maximumLineBytes: 60))
        #expect(try reason(long).description.contains("maximumLineBytes (60)"))
    }

    /// Found by `scripts/fuzz prometheus`: a backslash before another character stands for itself and is written as two.
    @Test func `what is within the limits is within them when it is written again`() throws {
        let limits = TextFormat.Limits(maximumNameBytes: 4, maximumLabelValueBytes: 5)
        for series in [#"{"\b\c"}"#, #"a{b="1\2\3"}"#] {
            #expect(throws: TextFormatError.self) { try Labels(parsing: series, limits: limits) }
        }
        for series in [#"{"a\b"}"#, #"{"a\\b"}"#, #"a{b="1\23"}"#] {
            let labels = try Labels(parsing: series, limits: limits)
            #expect(try Labels(parsing: labels.description, limits: limits) == labels)
        }
    }

    @Test func `a long line is cut between characters in its error`() throws {
        let error = try #require(Outcome("a{b=\"" + String(repeating: "ü", count: 200)).errors.first)
        #expect(error.text.utf8.count <= 123)
        #expect(error.text.hasSuffix("ü…"))
    }

    @Test func `decimal text gives the nearest double, as strtod does`() throws {
        var random = SeededGenerator()
        var texts: [String] = [
            "0", "-0", "0.1", "0.30000000000000004", "9007199254740993", "1.7976931348623157e308", "1e309", "5e-324",
            "2.4703282292062327e-324", "1234567890123456789012345", "0.00000000000000000000000001", "1e23", "1e-19",
            "0.9999999999999999999", "9999999999999999999", "123456789.123456789", "1e99999999999999999999",
            "-1e-99999999999999999999", "000000000000000000000001.5",
        ]
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: texts.append(Double(bitPattern: .random(in: 0...UInt64.max, using: &random)).description)
            case 1: texts.append(Double.random(in: -1...1, using: &random).description)
            case 2:
                let digits = String(UInt64.random(in: 1...9_999_999_999_999_999_999, using: &random))
                let point = Int.random(in: 0...digits.count, using: &random)
                texts.append("\(digits.prefix(point)).\(digits.dropFirst(point))")
            default:
                texts.append(
                    "\(Int.random(in: 0...999_999, using: &random))e\(Int.random(in: -30...30, using: &random))")
            }
        }
        for text in texts {
            guard let expected = Double(text) else { continue }
            let value = try #require(Outcome("a \(text)").lines.first, "\(text)").value
            #expect(value.bitPattern == expected.bitPattern || value.isNaN && expected.isNaN, "\(text)")
        }
    }

    @Test func `random bytes and damaged lines never trap`() {
        var random = SeededGenerator()
        let good = Array(#"metric_name{label="va\\l\"ue",other="ü",x=""} -12.5e3 1395066363000"#.utf8) + [0x0A]
        let alphabet = Array("a1_:{}\"=,\\ \t\n\r#.-+eE".utf8) + [0x00, 0xC3, 0xBC, 0xFF]
        for _ in 0..<20_000 {
            var bytes: [UInt8]
            if Bool.random(using: &random) {
                bytes = good + good
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    bytes[place] = alphabet.randomElement(using: &random) ?? 0
                }
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            } else {
                bytes = (0..<Int.random(in: 0..<60, using: &random)).map { _ in
                    alphabet.randomElement(using: &random) ?? 0
                }
            }
            for line in Outcome(bytes).lines {
                // A line may still give one name twice through escapes; nothing else can be wrong with it.
                if let labels = try? Labels(parsing: line.series) { #expect(!labels.metricName.isEmpty) }
            }
            _ = try? Labels(parsing: String(decoding: bytes, as: UTF8.self))
        }
    }
}

@Suite struct TextFormatWriterTests {
    @Test func `the writer writes what Prometheus reads`() {
        var writer = TextFormat.Writer()
        writer.append(help: "Seconds the CPUs spent\nin each \\mode.", of: "node_cpu_seconds_total")
        writer.append(type: "counter", of: "node_cpu_seconds_total")
        writer.append(
            "node_cpu_seconds_total", [Label("cpu", "0"), Label("none", ""), Label("mode", "idle")], value: 12.5,
            timestamp: Timestamp(milliseconds: 1_767_225_600_000))
        writer.append("node_load1", [], value: 0.25)
        writer.append(["__name__": "x", "path": "a\"\\\n"], value: .nan)
        #expect(writer.sampleCount == 3)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self) == #"""
                # HELP node_cpu_seconds_total Seconds the CPUs spent\nin each \\mode.
                # TYPE node_cpu_seconds_total counter
                node_cpu_seconds_total{cpu="0",mode="idle"} 12.5 1767225600000
                node_load1 0.25
                x{path="a\"\\\n"} NaN

                """#)
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (-17, "-17"), (0.1, "0.1"), (1e21, "1e+21"),
            (9_007_199_254_740_992, "9007199254740992"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
            (Double.leastNonzeroMagnitude, "5e-324"), (0.30000000000000004, "0.30000000000000004"),
        ] as [(Double, String)])
    func `numbers are written in the shortest text that reads back`(number: Double, text: String) {
        var writer = TextFormat.Writer()
        writer.append("a", [], value: number)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "a \(text)\n")
    }

    @Test func `whatever is written reads back the same`() throws {
        var random = SeededGenerator()
        let characters: [Character] = ["a", "Z", "0", "_", "\\", "\"", "\n", " ", ",", "}", "{", "=", "ü", "☃", "\t"]
        func text(_ range: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: range, using: &random)).map { _ in characters.randomElement(using: &random) ?? "a" }
            )
        }
        for _ in 0..<2000 {
            var labels: Labels = ["__name__": text(1...5)]
            for _ in 0..<Int.random(in: 0...4, using: &random) { labels = labels.setting(text(1...4), to: text(0...6)) }
            let value = Double(bitPattern: .random(in: 0...UInt64.max, using: &random))
            let timestamp = Timestamp(milliseconds: .random(in: .min ... .max, using: &random))
            var writer = TextFormat.Writer()
            writer.append(labels, value: value, timestamp: timestamp)
            let outcome = Outcome(writer.bytes)
            #expect(outcome.errors.isEmpty)
            let line = try #require(outcome.lines.first)
            #expect(outcome.lines.count == 1)
            #expect(try Labels(parsing: line.series) == labels)
            #expect(line.value == value || line.value.isNaN && value.isNaN)
            #expect(line.timestamp == timestamp.milliseconds)
        }
    }
}
