/// What a rule computes of each group; named as the outputs of VictoriaMetrics stream aggregation, where it has them.
public enum RuleOutput: Hashable, Sendable {
    case countSamples
    case countSeries
    case sumSamples
    case sumLast
    case min
    case max
    case average
    case first
    case last
    case standardDeviation
    case standardVariance
    case increase
    case rateSum
    case rateAverage
    case resets
    case uniqueSamples
    /// Each between 0 and 1.
    case quantiles([Double])

    /// The outputs without parameters, in the order of the documentation.
    static let plain: [(name: String, output: RuleOutput)] = [
        ("count_samples", .countSamples), ("count_series", .countSeries), ("sum_samples", .sumSamples),
        ("sum_last", .sumLast), ("min", .min), ("max", .max), ("avg", .average), ("first", .first), ("last", .last),
        ("stddev", .standardDeviation), ("stdvar", .standardVariance), ("increase", .increase),
        ("rate_sum", .rateSum), ("rate_avg", .rateAverage), ("resets", .resets), ("unique_samples", .uniqueSamples),
    ]

    /// The names of all outputs, as one writes them.
    public static var names: [String] { plain.map(\.name) + ["quantiles(0.5, …)"] }

    /// The last part of the name of what it gives: `increase`, `quantiles`.
    public var name: String {
        if case .quantiles = self { return "quantiles" }
        return Self.plain.first { $0.output == self }?.name ?? ""
    }

    /// Whether it is measured from the last sample before the window.
    public var needsPrevious: Bool {
        switch self {
        case .increase, .rateSum, .rateAverage, .resets: true
        default: false
        }
    }

    /// Reads `avg`, `quantiles(0.5, 0.99)`.
    public init(parsing text: String) throws(RuleOutputError) {
        if let plain = Self.plain.first(where: { $0.name == text }) {
            self = plain.output
            return
        }
        guard text.hasPrefix("quantiles") else { throw .unknown(text) }
        let list = text.dropFirst("quantiles".count)
        guard list.hasPrefix("("), list.hasSuffix(")") else { throw .quantiles(text) }
        var quantiles: [Double] = []
        for part in list.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false) {
            let number = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            guard let quantile = Double(String(number)), (0...1).contains(quantile), !quantiles.contains(quantile)
            else {
                throw .quantiles(text)
            }
            quantiles.append(quantile)
        }
        self = .quantiles(quantiles)
    }

    /// The value of the label `quantile`: the shortest text of the number, `0.5`, `1`.
    public static func label(ofQuantile quantile: Double) -> String {
        let text = quantile.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension RuleOutput: CustomStringConvertible {
    /// As it is read.
    public var description: String {
        guard case .quantiles(let quantiles) = self else { return name }
        return "quantiles(\(quantiles.map(Self.label(ofQuantile:)).joined(separator: ", ")))"
    }
}

/// A text that names no output.
public enum RuleOutputError: Error, Hashable, CustomStringConvertible {
    case unknown(String)
    case quantiles(String)

    /// What people know from elsewhere, and what it is called here.
    private static let otherNames = [
        "sum": "sum_samples (of all samples) or sum_last (of each series' last sample, as a recording rule's sum)",
        "count": "count_samples or count_series", "mean": "avg", "average": "avg", "median": "quantiles(0.5)",
        "rate": "rate_sum (of all series together) or rate_avg (of one)", "irate": "rate_sum or rate_avg",
        "minimum": "min", "maximum": "max", "group": "count_series", "unique": "unique_samples",
        "increase_prometheus": "increase, which lets a new series begin at its first sample",
        "delta": "first and last", "quantile": "quantiles(0.99)",
        "total": "increase; a running total would not be a function of the window",
        "total_prometheus": "increase; a running total would not be a function of the window",
        "histogram_bucket": "quantiles(0.5, 0.9, 0.99)",
    ]

    public var description: String {
        switch self {
        case .unknown(let text):
            if let name = Self.otherNames[text] {
                "there is no output '\(text)'; write \(name)"
            } else {
                "there is no output '\(text)'; known are \(RuleOutput.names.joined(separator: ", "))"
            }
        case .quantiles(let text):
            "'\(text)' is no list of quantiles; write different numbers between 0 and 1, such as quantiles(0.5, 0.99)"
        }
    }
}
