/// Puts a series' canonical text together (what `Labels.description` gives) from names and values in any order, in
/// storage that is used again, so that a format that writes series its own way allocates nothing per sample.
///
/// First the labels, `clear`, `add` …, `seal`; then any number of metric names that share them, `check` and `write`.
/// Owned by a `FormatReading`.
struct SeriesText: Sendable {
    /// Names and values without quotes and escapes, one behind the other. Whoever reads a format appends to it.
    var text: [UInt8] = []
    /// The series that was written last.
    private(set) var bytes: [UInt8] = []

    private let limits: TextFormat.Limits
    private var labels: [(name: Range<Int>, value: Range<Int>)] = []
    private var writtenLabels: [UInt8] = []

    init(limits: TextFormat.Limits) {
        self.limits = limits
    }

    /// Forgets the labels and the text.
    mutating func clear() {
        text.removeAll(keepingCapacity: true)
        labels.removeAll(keepingCapacity: true)
        writtenLabels.removeAll(keepingCapacity: true)
    }

    /// Appends to the text, and says where.
    mutating func append(_ piece: StaticString) -> Range<Int> {
        let start = text.count
        text.append(contentsOf: UnsafeBufferPointer(start: piece.utf8Start, count: piece.utf8CodeUnitCount))
        return start..<text.count
    }

    /// Adds a label, both sides being places in the text. One without a value is left out.
    mutating func add(label name: Range<Int>, _ value: Range<Int>) throws(TextFormatError.Reason) {
        try checkName(name)
        guard !value.isEmpty else { return }
        guard value.count <= limits.maximumLabelValueBytes else {
            throw .labelValueTooLong(label: excerpt(name), maximumLabelValueBytes: limits.maximumLabelValueBytes)
        }
        guard labels.count < limits.maximumLabels else { throw .tooManyLabels(maximumLabels: limits.maximumLabels) }
        labels.append((name, value))
    }

    /// Sorts and writes the labels.
    mutating func seal() throws(TextFormatError.Reason) {
        labels.sort { text[$0.name].lexicographicallyPrecedes(text[$1.name]) }
        for (index, label) in labels.enumerated() {
            if index > 0 {
                if text[label.name].elementsEqual(text[labels[index - 1].name]) {
                    throw .duplicateLabel(excerpt(label.name))
                }
                writtenLabels.append(UInt8(ascii: ","))
            }
            if text[label.name].elementsEqual(Label.metricName.utf8) { throw .nameGivenTwice }
            if isPlain(label.name, colons: false) {
                writtenLabels.append(contentsOf: text[label.name])
            } else {
                Self.append(quoted: text[label.name], to: &writtenLabels)
            }
            writtenLabels.append(UInt8(ascii: "="))
            let start = writtenLabels.count
            Self.append(quoted: text[label.value], to: &writtenLabels)
            guard writtenLabels.count - start - 2 <= limits.maximumLabelValueBytes else {
                throw .labelValueTooLong(
                    label: excerpt(label.name), maximumLabelValueBytes: limits.maximumLabelValueBytes)
            }
        }
        guard Self.isUTF8(writtenLabels[...]) else { throw .notUTF8 }
    }

    /// Whether a place in the text may be a metric's name.
    func check(metricName name: Range<Int>) throws(TextFormatError.Reason) {
        if name.isEmpty { throw .missingName }
        try checkName(name)
        guard Self.isUTF8(text[name]) else { throw .notUTF8 }
    }

    /// Writes the series of this metric with the sealed labels into `bytes`.
    mutating func write(metricName name: Range<Int>) {
        bytes.removeAll(keepingCapacity: true)
        let isPlain = isPlain(name, colons: true)
        if isPlain { bytes.append(contentsOf: text[name]) }
        if isPlain, writtenLabels.isEmpty { return }
        bytes.append(UInt8(ascii: "{"))
        if !isPlain {
            Self.append(quoted: text[name], to: &bytes)
            if !writtenLabels.isEmpty { bytes.append(UInt8(ascii: ",")) }
        }
        bytes.append(contentsOf: writtenLabels)
        bytes.append(UInt8(ascii: "}"))
    }

    private func checkName(_ name: Range<Int>) throws(TextFormatError.Reason) {
        if name.isEmpty { throw .invalidName("") }
        // Escapes count, as they do where the text is read again.
        let escapes = text[name].count { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == 0x0A }
        guard name.count + escapes <= limits.maximumNameBytes else {
            throw .nameTooLong(excerpt(name), maximumNameBytes: limits.maximumNameBytes)
        }
    }

    private func isPlain(_ name: Range<Int>, colons: Bool) -> Bool {
        guard !name.isEmpty, !text[name.lowerBound].isDigit else { return false }
        return text[name].allSatisfy { $0.isNameByte || (colons && $0 == UInt8(ascii: ":")) }
    }

    private func excerpt(_ piece: Range<Int>) -> String {
        text.withUnsafeBytes { TextFormat.excerpt(UnsafeRawBufferPointer(rebasing: $0[piece])) }
    }

    private static func append(quoted piece: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in piece {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A:
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(UInt8(ascii: "n"))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isUTF8(_ piece: ArraySlice<UInt8>) -> Bool {
        guard piece.contains(where: { $0 >= 0x80 }) else { return true }
        return String(validating: piece, as: UTF8.self) != nil
    }
}
