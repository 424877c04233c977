/// InfluxDB's line protocol: a line has one time and any number of fields, and each field becomes a sample.
///
///     weather,station=Zürich\ HB,floor=2 temp=21.5,people=41i,open=true,note="a, \"b\"" 1700000000000000000
///     └──┬──┘ └──────────┬─────────────┘ └───────────────────┬────────────────────────┘ └───────┬─────────┘
///   measurement         tags                               fields                      time (ns us ms s)
///
///     → weather_temp{floor="2",station="Zürich HB"} 21.5      weather_people{…} 41      weather_open{…} 1
///
/// Integers end in `i` or `u`; strings are no samples, they are passed over and counted, and may hold line feeds.
/// Backslashes escape blanks, commas and equals signs. The time's unit is the content type's `precision`.
/// Source: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
extension SampleFormat {
    static let influxLineProtocol = SampleFormat(
        name: "influx",
        mediaTypes: ["application/vnd.influxdb.line-protocol", "text/vnd.influxdb.line-protocol"],
        parameters: ["precision": ["ns", "us", "ms", "s"]]
    ) { text, reading, rejected, sample in
        var reader = InfluxLineReader(text, precision: reading.parameters["precision"] ?? "ns")
        while let start = reader.nextLine() {
            do throws(TextFormatError.Reason) {
                let timestamp = try reader.readLine(&reading) ?? reading.defaultTimestamp
                reading.skippedValues += reader.skippedFields
                for field in reader.fields {
                    reading.series.write(metricName: field.name)
                    reading.series.bytes.withUnsafeBytes { series in
                        sample(
                            TextFormat.ParsedLine(
                                series: series, value: field.value, timestamp: timestamp, lineNumber: start))
                    }
                }
            } catch {
                rejected(UnreadableSample(number: start, reason: error))
                reader.skipToNextLine()
            }
        }
    }
}

/// Reads one record's lines. Lives as long as the record is read.
private struct InfluxLineReader {
    /// The fields with numbers of the line that was read last; names are places in the series' text.
    private(set) var fields: [(name: Range<Int>, value: Double)] = []
    /// The fields with strings of that line.
    private(set) var skippedFields = 0

    private let text: UnsafeRawBufferPointer
    private let precision: String
    private var position = 0
    private var lineNumber = 1
    private var lineStart = 0
    /// What this line cannot reach: one byte more than `maximumLineBytes` from its start, or the end of the text.
    private var end = 0

    init(_ text: UnsafeRawBufferPointer, precision: String) {
        self.text = text
        self.precision = precision
    }

    /// Moves to the next line that is neither empty nor a comment, and gives its number; nil at the end.
    mutating func nextLine() -> Int? {
        while position < text.count {
            switch text[position] {
            case 0x0A:
                lineNumber += 1
                position += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
            case UInt8(ascii: "#"): skipToNextLine()
            default:
                lineStart = position
                return lineNumber
            }
        }
        return nil
    }

    /// Passes over the rest of the line, up to its line feed.
    mutating func skipToNextLine() {
        while position < text.count, text[position] != 0x0A { position += 1 }
    }

    /// Reads the line: its labels into the series, its fields into `fields`. Nil for a line without a time.
    mutating func readLine(_ reading: inout FormatReading) throws(TextFormatError.Reason) -> Timestamp? {
        fields.removeAll(keepingCapacity: true)
        skippedFields = 0
        end = text.count
        if end - lineStart > reading.limits.maximumLineBytes { end = lineStart + reading.limits.maximumLineBytes + 1 }
        do throws(TextFormatError.Reason) {
            return try readParts(&reading)
        } catch {
            guard position >= end, end < text.count else { throw error }
            skipToNextLine()
            throw .lineTooLong(bytes: position - lineStart, maximumLineBytes: reading.limits.maximumLineBytes)
        }
    }

    private mutating func readParts(_ reading: inout FormatReading) throws(TextFormatError.Reason) -> Timestamp? {
        reading.series.clear()
        let measurement = readToken(&reading.series, escapes: (UInt8(ascii: ","), UInt8(ascii: " "), 0))
        if measurement.isEmpty { throw .malformed("no measurement") }
        while take(UInt8(ascii: ",")) {
            let name = readKey(&reading.series)
            guard take(UInt8(ascii: "=")) else { throw .missingEquals(label: excerpt(name, reading.series)) }
            let value = readKey(&reading.series)
            if value.isEmpty { throw .malformed("tag '\(excerpt(name, reading.series))' has no value") }
            try reading.series.add(label: name, value)
        }
        try reading.series.seal()
        guard skipBlanks() > 0, !isAtLineEnd else { throw .malformed("no field after the measurement and its tags") }
        repeat {
            try readField(&reading.series, measurement)
        } while take(UInt8(ascii: ","))

        var timestamp: Timestamp?
        if skipBlanks() > 0, !isAtLineEnd {
            let token = readWord()
            guard let count = DecimalText.integer(token), let time = time(count) else {
                throw .malformed("'\(TextFormat.excerpt(token))' is no timestamp in \(precision)")
            }
            timestamp = time
            _ = skipBlanks()
        }
        guard isAtLineEnd else {
            let rest = text[position..<end].prefix { $0 != 0x0A && $0 != UInt8(ascii: "\r") }
            throw .textAfterSample(TextFormat.excerpt(UnsafeRawBufferPointer(rebasing: rest)))
        }
        if position == end, end < text.count { throw .missingValue }
        return timestamp
    }

    private mutating func readField(
        _ series: inout SeriesText, _ measurement: Range<Int>
    ) throws(TextFormatError.Reason) {
        let start = series.text.count
        series.text.append(contentsOf: series.text[measurement])
        series.text.append(UInt8(ascii: "_"))
        let key = readKey(&series)
        if key.isEmpty { throw .malformed("a field has no name") }
        guard take(UInt8(ascii: "=")) else { throw .malformed("no '=' after field '\(excerpt(key, series))'") }
        if position < end, text[position] == UInt8(ascii: "\"") {
            try skipString()
            skippedFields += 1
            return
        }
        let word = readWord()
        guard let value = Self.number(word) else { throw .invalidNumber(TextFormat.excerpt(word)) }
        let name = start..<key.upperBound
        try series.check(metricName: name)
        fields.append((name, value))
    }

    private mutating func readKey(_ series: inout SeriesText) -> Range<Int> {
        readToken(&series, escapes: (UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "=")))
    }

    /// Copies up to one of these bytes that no backslash stands before, or to the line's end.
    private mutating func readToken(_ series: inout SeriesText, escapes: (UInt8, UInt8, UInt8)) -> Range<Int> {
        let start = series.text.count
        while position < end, !isAtLineEnd {
            let byte = text[position]
            if byte == escapes.0 || byte == escapes.1 || (byte == escapes.2 && byte != 0) { break }
            if byte == UInt8(ascii: "\\"), position + 1 < end, text[position + 1] != 0x0A {
                let next = text[position + 1]
                if !(next == escapes.0 || next == escapes.1 || next == escapes.2) { series.text.append(byte) }
                series.text.append(next)
                position += 2
            } else {
                series.text.append(byte)
                position += 1
            }
        }
        return start..<series.text.count
    }

    /// Up to a comma, a blank or the line's end.
    private mutating func readWord() -> UnsafeRawBufferPointer {
        let start = position
        while position < end, !isAtLineEnd, text[position] != UInt8(ascii: ","), !text[position].isBlank {
            position += 1
        }
        return UnsafeRawBufferPointer(rebasing: text[start..<position])
    }

    /// Passes over a string, which may go on over several lines. One that is not closed ends the line it began in.
    private mutating func skipString() throws(TextFormatError.Reason) {
        var lines = 0
        var place = position + 1
        while place < end {
            switch text[place] {
            case UInt8(ascii: "\""):
                position = place + 1
                lineNumber += lines
                return
            case UInt8(ascii: "\\"):
                // A line feed behind a backslash is counted all the same.
                if place + 1 < end, text[place + 1] != 0x0A { place += 1 }
            case 0x0A: lines += 1
            default: break
            }
            place += 1
        }
        throw .unterminatedQuote
    }

    private var isAtLineEnd: Bool {
        guard position < end else { return true }
        if text[position] == 0x0A { return true }
        return text[position] == UInt8(ascii: "\r") && (position + 1 == text.count || text[position + 1] == 0x0A)
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < end, text[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() -> Int {
        let start = position
        while position < end, text[position].isBlank { position += 1 }
        return position - start
    }

    private func time(_ count: Int64) -> Timestamp? {
        switch precision {
        case "s":
            let (milliseconds, overflow) = count.multipliedReportingOverflow(by: 1000)
            return overflow ? nil : Timestamp(milliseconds: milliseconds)
        case "ms": return Timestamp(milliseconds: count)
        case "us": return Timestamp(milliseconds: Self.floor(count, 1000))
        default: return Timestamp(milliseconds: Self.floor(count, 1_000_000))
        }
    }

    private static func floor(_ count: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = count.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private static func number(_ word: UnsafeRawBufferPointer) -> Double? {
        guard let first = word.first, let last = word.last else { return nil }
        switch last {
        case UInt8(ascii: "i"):
            return DecimalText.integer(UnsafeRawBufferPointer(rebasing: word.dropLast())).map { Double($0) }
        case UInt8(ascii: "u"):
            let digits = UnsafeRawBufferPointer(rebasing: word.dropLast())
            guard digits.count <= 20, digits.allSatisfy({ $0.isDigit }) else { return nil }
            return DecimalText.double(digits)
        default: break
        }
        if first.isDigit || first == UInt8(ascii: "-") || first == UInt8(ascii: "+") || first == UInt8(ascii: ".") {
            return DecimalText.double(word).flatMap { $0.isFinite ? $0 : nil }
        }
        switch String(decoding: word.prefix(6), as: UTF8.self) {
        case "t", "T", "true", "True", "TRUE": return 1
        case "f", "F", "false", "False", "FALSE": return 0
        default: return nil
        }
    }

    private func excerpt(_ piece: Range<Int>, _ series: SeriesText) -> String {
        series.text.withUnsafeBytes { TextFormat.excerpt(UnsafeRawBufferPointer(rebasing: $0[piece])) }
    }
}
