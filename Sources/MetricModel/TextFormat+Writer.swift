extension TextFormat {
    /// Appends lines to a byte array. A value; whoever owns it reuses its storage with `removeAll`.
    public struct Writer: Sendable {
        public private(set) var bytes: [UInt8] = []
        /// How many sample lines were appended.
        public private(set) var sampleCount = 0

        public init(reservingCapacity capacity: Int = 0) {
            bytes.reserveCapacity(capacity)
        }

        /// Appends one sample's line.
        public mutating func append(_ series: Labels, value: Double, timestamp: Timestamp? = nil) {
            append(series: series)
            finishLine(value: value, timestamp: timestamp)
        }

        /// Appends one sample's line with the labels in the given order. Names have to be plain and each given
        /// once; labels without a value are left out.
        public mutating func append(
            _ metricName: String, _ labels: [Label], value: Double, timestamp: Timestamp? = nil
        ) {
            append(text: metricName)
            var separator = UInt8(ascii: "{")
            for label in labels where !label.value.isEmpty {
                bytes.append(separator)
                append(label: label)
                separator = UInt8(ascii: ",")
            }
            if separator == UInt8(ascii: ",") { bytes.append(UInt8(ascii: "}")) }
            finishLine(value: value, timestamp: timestamp)
        }

        /// Appends a `# TYPE` line; `type` is counter, gauge, histogram, summary or untyped.
        public mutating func append(type: String, of metricName: String) {
            append(text: "# TYPE \(metricName) \(type)\n")
        }

        /// Appends a `# HELP` line.
        public mutating func append(help: String, of metricName: String) {
            append(text: "# HELP \(metricName) ")
            for byte in help.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): append(text: #"\\"#)
                case UInt8(ascii: "\n"): append(text: #"\n"#)
                default: bytes.append(byte)
                }
            }
            bytes.append(UInt8(ascii: "\n"))
        }

        /// Forgets the lines and keeps the storage.
        public mutating func removeAll() {
            bytes.removeAll(keepingCapacity: true)
            sampleCount = 0
        }

        private mutating func finishLine(value: Double, timestamp: Timestamp?) {
            bytes.append(UInt8(ascii: " "))
            append(number: value)
            if let timestamp {
                bytes.append(UInt8(ascii: " "))
                append(integer: timestamp.milliseconds)
            }
            bytes.append(UInt8(ascii: "\n"))
            sampleCount += 1
        }

        /// Appends a series' canonical text.
        mutating func append(series: Labels) {
            let name = series.metricName
            let nameIsPlain = Label.isPlainMetricName(name)
            if nameIsPlain { append(text: name) }
            let others = series.count - (name.isEmpty ? 0 : 1)
            guard others > 0 || !nameIsPlain else { return }
            bytes.append(UInt8(ascii: "{"))
            var needsComma = false
            if !nameIsPlain, !name.isEmpty {
                append(quoted: name)
                needsComma = true
            }
            for label in series where label.name != Label.metricName {
                if needsComma { bytes.append(UInt8(ascii: ",")) }
                append(label: label)
                needsComma = true
            }
            bytes.append(UInt8(ascii: "}"))
        }

        mutating func append(label: Label) {
            append(labelName: label.name)
            bytes.append(UInt8(ascii: "="))
            append(quoted: label.value)
        }

        mutating func append(labelName name: String) {
            if Label.isPlainName(name) { append(text: name) } else { append(quoted: name) }
        }

        mutating func append(quoted text: String) {
            bytes.append(UInt8(ascii: "\""))
            for byte in text.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): append(text: #"\\"#)
                case UInt8(ascii: "\""): append(text: #"\""#)
                case UInt8(ascii: "\n"): append(text: #"\n"#)
                default: bytes.append(byte)
                }
            }
            bytes.append(UInt8(ascii: "\""))
        }

        mutating func append(text: String) {
            bytes.append(contentsOf: text.utf8)
        }
    }
}

extension TextFormat.Writer {
    /// Appends the shortest text that reads back as the same number.
    package mutating func append(number: Double) {
        if number.isNaN { return append(text: "NaN") }
        if number.isInfinite { return append(text: number < 0 ? "-Inf" : "+Inf") }
        // Whole numbers up to 2^53 are exact and their digits are the shortest text, but for -0.
        if number == number.rounded(.towardZero), number.magnitude <= 9_007_199_254_740_992,
            !(number == 0 && number.sign == .minus)
        {
            return append(integer: Int64(number))
        }
        // Swift's description is the shortest text that reads back as the same number.
        let text = number.description
        append(text: text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    mutating func append(integer: Int64) {
        append(text: String(integer))
    }
}
