extension Duration {
    /// The units of duration text, longest first, and their milliseconds.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000),
        ("s", 1000), ("ms", 1),
    ]

    /// Prometheus's duration text: whole numbers with the units y w d h m s ms, each at most once, longest first,
    /// such as `1h30m`, `15s`, `250ms`; also `0`.
    public init(text: String) throws(DurationTextError) {
        guard text != "0" else {
            self = .zero
            return
        }
        guard !text.isEmpty else { throw .notADuration(text) }
        var rest = Substring(text)
        var next = 0
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty else { throw .notADuration(text) }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(letters.count)
            guard let unit = Self.units[next...].firstIndex(where: { $0.name == letters }) else {
                throw .notADuration(text)
            }
            next = unit + 1
            guard let count = Int64(digits) else { throw .tooLong(text) }
            let (part, overflow) = count.multipliedReportingOverflow(by: Self.units[unit].milliseconds)
            let (sum, overflowingSum) = total.addingReportingOverflow(part)
            guard !overflow, !overflowingSum else { throw .tooLong(text) }
            total = sum
        }
        self = .milliseconds(total)
    }

    /// The shortest text in Prometheus's manner, cut to milliseconds: `1h30m`, `90d`, `1w`, `0s`. Years and weeks
    /// appear only where nothing remains, since 90d reads better than 12w6d.
    public var shortText: String {
        var rest = wholeMilliseconds.magnitude
        guard rest > 0 else { return "0s" }
        var text = self < .zero ? "-" : ""
        for unit in Self.units {
            let size = UInt64(unit.milliseconds)
            if unit.name == "y" || unit.name == "w", rest % size != 0 { continue }
            guard rest >= size else { continue }
            text += "\(rest / size)\(unit.name)"
            rest %= size
        }
        return text
    }

    /// The duration in milliseconds, cut towards zero and to what `Int64` holds.
    public var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, overflowingSum) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        guard !overflow, !overflowingSum else { return seconds < 0 ? .min : .max }
        return sum
    }
}

/// Why a text is no duration.
public enum DurationTextError: Error, Hashable, CustomStringConvertible {
    case notADuration(String)
    case tooLong(String)

    public var description: String {
        switch self {
        case .notADuration(let text):
            "'\(text)' is no duration; write whole numbers with the units y w d h m s ms, longest first, "
                + "such as 1h30m or 15s"
        case .tooLong(let text): "'\(text)' is too long a duration"
        }
    }
}
