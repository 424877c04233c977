/// OpenMetrics 1.0 text: Prometheus's text format with times in seconds, exemplars and an end.
///
///     # TYPE http_requests counter                                                    ← comments are skipped
///     http_requests_total{code="200"} 17 1700000000.25 # {trace_id="ab12"} 0.5 1700000000.1
///     └──────────────┬──────────────┘ ┬  └─────┬─────┘ └───────────────┬───────────────────┘
///              series bytes         value   seconds              exemplar, ignored
///     http_requests_created{code="200"} 1699990000.5                                   ← a sample as any other
///     # EOF
///
/// A record has a length, so a text without `# EOF` is taken as well; what stands behind it is no sample.
/// Source: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
extension SampleFormat {
    static let openMetrics = SampleFormat(name: "openmetrics", mediaTypes: ["application/openmetrics-text"]) {
        text, reading, rejected, sample in
        var scanner = SeriesScanner(limits: reading.limits)
        var position = 0
        var lineNumber = 0
        var hasEnded = false
        while position < text.count {
            lineNumber += 1
            let line = TextFormat.trimmed(TextFormat.nextLine(in: text, from: &position))
            guard let first = line.first else { continue }
            do throws(TextFormatError.Reason) {
                if hasEnded { throw .malformed("stands after '# EOF'") }
                if first == UInt8(ascii: "#") {
                    hasEnded = line.elementsEqual("# EOF".utf8)
                } else {
                    sample(try OpenMetricsLine.parse(line, lineNumber, reading.defaultTimestamp, &scanner))
                }
            } catch {
                rejected(UnreadableSample(number: lineNumber, reason: error))
            }
        }
    }
}

/// One line of OpenMetrics text.
private enum OpenMetricsLine {
    static func parse(
        _ line: UnsafeRawBufferPointer, _ lineNumber: Int, _ defaultTimestamp: Timestamp,
        _ scanner: inout SeriesScanner
    ) throws(TextFormatError.Reason) -> TextFormat.ParsedLine {
        let sample = try TextFormat.parseSeriesAndValue(line, &scanner)
        var timestamp = defaultTimestamp
        var rest = TextFormat.skipBlanks(line, from: sample.valueEnd)
        if rest < line.count, line[rest] != UInt8(ascii: "#") {
            let end = TextFormat.endOfToken(line, from: rest)
            let text = UnsafeRawBufferPointer(rebasing: line[rest..<end])
            guard let seconds = DecimalText.double(text), let time = Timestamp(seconds: seconds) else {
                throw .invalidSeconds(TextFormat.excerpt(text))
            }
            timestamp = time
            rest = TextFormat.skipBlanks(line, from: end)
        }
        guard rest == line.count || line[rest] == UInt8(ascii: "#") else {
            throw .textAfterSample(TextFormat.excerpt(UnsafeRawBufferPointer(rebasing: line[rest...])))
        }
        return TextFormat.ParsedLine(
            series: UnsafeRawBufferPointer(rebasing: line[..<sample.seriesEnd]), value: sample.value,
            timestamp: timestamp, lineNumber: lineNumber)
    }
}

extension Timestamp {
    /// The nearest millisecond; nil for what is no time that fits.
    init?(seconds: Double) {
        guard let milliseconds = Int64(exactly: (seconds * 1000).rounded()) else { return nil }
        self.init(milliseconds: milliseconds)
    }
}
