import MetricModel
import TestKit
import Testing

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("0", .zero, "0s"), ("0s", .zero, "0s"), ("250ms", .milliseconds(250), "250ms"),
            ("15s", .seconds(15), "15s"), ("1h30m", .seconds(5400), "1h30m"), ("90m", .seconds(5400), "1h30m"),
            ("1d", .seconds(86400), "1d"), ("2w", .seconds(14 * 86400), "2w"), ("90d", .seconds(90 * 86400), "90d"),
            ("1y", .seconds(365 * 86400), "1y"), ("1y2w3d4h5m6s7ms", .milliseconds(33_019_506_007), "382d4h5m6s7ms"),
        ] as [(String, Duration, String)])
    func `duration text reads and writes as in Prometheus`(
        text: String, duration: Duration, shortest: String
    ) throws {
        #expect(try Duration(text: text) == duration)
        #expect(duration.shortText == shortest)
        #expect(try Duration(text: shortest) == duration)
    }

    @Test(arguments: ["", "1", "s", "1.5h", "-1s", "1s1h", "1m1m", "1 s", "1S", "１s", "1h "])
    func `text that is no duration is refused by name`(text: String) {
        #expect(throws: DurationTextError.notADuration(text)) { try Duration(text: text) }
    }

    @Test(arguments: ["99999999999999999999s", "300000000y", "292000000y9223372036854775807ms"])
    func `a duration beyond the range is refused`(text: String) {
        #expect(throws: DurationTextError.tooLong(text)) { try Duration(text: text) }
    }

    @Test func `negative durations have a sign`() {
        #expect(Duration.seconds(-90).shortText == "-1m30s")
    }
}

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_767_225_599_250, "2025-12-31T23:59:59.250Z"),
            (1_772_323_199_250, "2026-02-28T23:59:59.250Z"), (.max, "9223372036854775807 ms"),
        ] as [(Int64, String)])
    func `a timestamp describes itself in RFC 3339`(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test func `arithmetic ends at the range's ends instead of trapping`() {
        let last = Timestamp(milliseconds: .max)
        let first = Timestamp(milliseconds: .min)
        #expect(last + .seconds(1) == last)
        #expect(first - .seconds(1) == first)
        #expect(first + .seconds(-1) == first)
        #expect(last - first == .milliseconds(Int64.max))
        #expect(Timestamp(milliseconds: 1500) - Timestamp(milliseconds: 500) == .seconds(1))
        #expect(Timestamp(milliseconds: 500) + .seconds(1) == Timestamp(milliseconds: 1500))
    }
}
