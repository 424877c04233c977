internal import Glibc

extension TextFormat {
    /// Calls `body` for every sample in the text and `rejected` for every line that is none, in order. Comments
    /// and empty lines are skipped; the last line need not end in a line feed.
    ///
    /// The lines point into `bytes`. Nothing is allocated per line unless it is rejected.
    public static func forEachLine<Failure: Error>(
        in bytes: UnsafeRawBufferPointer, defaultTimestamp: Timestamp, limits: Limits = Limits(),
        rejected: (TextFormatError) throws(Failure) -> Void,
        _ body: (ParsedLine) throws(Failure) -> Void
    ) throws(Failure) {
        var scanner = SeriesScanner(limits: limits)
        var position = 0
        var lineNumber = 0
        while position < bytes.count {
            lineNumber += 1
            let line = nextLine(in: bytes, from: &position)
            var parsed: ParsedLine?
            do {
                parsed = try parse(line, lineNumber, defaultTimestamp, &scanner)
            } catch {
                try rejected(TextFormatError(lineNumber: lineNumber, line: line, reason: error))
            }
            if let parsed { try body(parsed) }
        }
    }

    // Inlined by force, these three, because with a second caller (OpenMetrics) the compiler stops doing it and a
    // line takes 4 % longer.
    @inline(__always)
    static func nextLine(
        in bytes: UnsafeRawBufferPointer, from position: inout Int
    ) -> UnsafeRawBufferPointer {
        let start = position
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
        guard let base = rest.baseAddress, let feed = memchr(base, 0x0A, rest.count) else {
            position = bytes.count
            return rest
        }
        let length = UnsafeRawPointer(feed) - base
        position = start + length + 1
        return UnsafeRawBufferPointer(start: base, count: length)
    }

    /// Nil for a comment or an empty line.
    private static func parse(
        _ untrimmed: UnsafeRawBufferPointer, _ lineNumber: Int, _ defaultTimestamp: Timestamp,
        _ scanner: inout SeriesScanner
    ) throws(TextFormatError.Reason) -> ParsedLine? {
        let line = trimmed(untrimmed)
        guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
        let sample = try parseSeriesAndValue(line, &scanner)
        var timestamp = defaultTimestamp
        let timestampStart = skipBlanks(line, from: sample.valueEnd)
        if timestampStart < line.count {
            let timestampEnd = endOfToken(line, from: timestampStart)
            let text = UnsafeRawBufferPointer(rebasing: line[timestampStart..<timestampEnd])
            guard let milliseconds = DecimalText.integer(text) else { throw .invalidTimestamp(excerpt(text)) }
            timestamp = Timestamp(milliseconds: milliseconds)
            let rest = skipBlanks(line, from: timestampEnd)
            guard rest == line.count else {
                throw .textAfterSample(excerpt(UnsafeRawBufferPointer(rebasing: line[rest...])))
            }
        }
        return ParsedLine(
            series: UnsafeRawBufferPointer(rebasing: line[..<sample.seriesEnd]), value: sample.value,
            timestamp: timestamp,
            lineNumber: lineNumber)
    }

    /// What a line begins with; a timestamp may follow.
    @inline(__always)
    static func parseSeriesAndValue(
        _ line: UnsafeRawBufferPointer, _ scanner: inout SeriesScanner
    ) throws(TextFormatError.Reason) -> (seriesEnd: Int, value: Double, valueEnd: Int) {
        guard line.count <= scanner.limits.maximumLineBytes else {
            throw .lineTooLong(bytes: line.count, maximumLineBytes: scanner.limits.maximumLineBytes)
        }
        let seriesEnd = try scanner.scan(line)
        let valueStart = skipBlanks(line, from: seriesEnd)
        guard valueStart < line.count else { throw .missingValue }
        if valueStart == seriesEnd, line[seriesEnd - 1] != UInt8(ascii: "}") {
            throw .invalidName(excerpt(UnsafeRawBufferPointer(rebasing: line[..<endOfToken(line, from: 0)])))
        }
        let valueEnd = endOfToken(line, from: valueStart)
        let valueText = UnsafeRawBufferPointer(rebasing: line[valueStart..<valueEnd])
        guard let value = DecimalText.double(valueText) else { throw .invalidNumber(excerpt(valueText)) }
        return (seriesEnd, value, valueEnd)
    }

    /// Without blanks at both ends, and without the carriage return that other systems end lines with.
    @inline(__always)
    static func trimmed(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let start = skipBlanks(line, from: 0)
        var end = line.count
        if end > start, line[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        while end > start, line[end - 1].isBlank { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: line[start..<end])
    }

    static func skipBlanks(_ line: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while position < line.count, line[position].isBlank { position += 1 }
        return position
    }

    @inline(__always)
    static func endOfToken(_ line: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while position < line.count, !line[position].isBlank { position += 1 }
        return position
    }
}

extension Labels {
    /// Reads a series as it stands in the text format: `name`, `name{a="b"}` or `{"my.name","my.label"="b"}`.
    /// This is what `ParsedLine.series` holds. An error counts it as line 1.
    public init(
        parsing series: UnsafeRawBufferPointer, limits: TextFormat.Limits = TextFormat.Limits()
    ) throws(TextFormatError) {
        do throws(TextFormatError.Reason) {
            var scanner = SeriesScanner(limits: limits)
            let end = try scanner.scan(series)
            guard end == series.count else {
                throw TextFormatError.Reason.textAfterSample(
                    TextFormat.excerpt(UnsafeRawBufferPointer(rebasing: series[end...])))
            }
            self = try Self.build(scanner, from: series)
        } catch {
            throw TextFormatError(lineNumber: 1, line: series, reason: error)
        }
    }

    /// Reads a series as it stands in the text format.
    public init(parsing series: String, limits: TextFormat.Limits = TextFormat.Limits()) throws(TextFormatError) {
        let bytes = Array(series.utf8)
        let result = bytes.withUnsafeBytes { buffer -> Result<Labels, TextFormatError> in
            do throws(TextFormatError) {
                return .success(try Labels(parsing: buffer, limits: limits))
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    private static func build(
        _ scanner: SeriesScanner, from series: UnsafeRawBufferPointer
    ) throws(TextFormatError.Reason) -> Labels {
        var labels: [Label] = []
        labels.reserveCapacity(scanner.labels.count + 1)
        if let name = scanner.metricName {
            labels.append(Label(Label.metricName, scanner.text(name, in: series)))
        }
        for label in scanner.labels {
            let value = scanner.text(label.value, in: series)
            if !value.isEmpty { labels.append(Label(scanner.text(label.name, in: series), value)) }
        }
        labels.sort { $0.name.precedes($1.name) }
        for index in labels.indices.dropFirst() where labels[index].name.hasSameBytes(as: labels[index - 1].name) {
            // Names that differ as written (one with escapes) and are still the same name.
            throw .duplicateLabel(labels[index].name)
        }
        return Labels(alreadySorted: labels)
    }
}
