public import Aggregation
internal import MetricModel
public import PromQL

/// A threshold condition as people write it: `SELECTOR OP NUMBER [for DURATION]`, such as `node_load1{instance="a"} > 8 for 5m`.
public struct ConditionText: Sendable {
    public let selector: VectorSelector
    public let comparison: ThresholdCondition.Comparison
    public let threshold: Double
    public let duration: Duration?

    public init(parsing text: String) throws(ConditionTextError) {
        guard let place = Self.comparisonStart(in: text) else { throw .noComparison(text) }
        do throws(PromQLError) {
            selector = try VectorSelector(parsing: String(text[..<place]))
        } catch {
            throw .selector(error)
        }
        let rest = text[place...]
        let comparisons = ThresholdCondition.Comparison.allCases.sorted { $0.rawValue.count > $1.rawValue.count }
        guard let comparison = comparisons.first(where: { rest.hasPrefix($0.rawValue) }) else {
            throw .noComparison(text)
        }
        self.comparison = comparison
        let words = rest.dropFirst(comparison.rawValue.count).split { $0 == " " || $0 == "\t" || $0 == "\n" }
        guard let number = words.first, let threshold = Double(number), !threshold.isNaN else {
            throw .noNumber(words.first.map(String.init) ?? "", after: comparison.rawValue)
        }
        self.threshold = threshold
        switch words.dropFirst().map(String.init) {
        case []: duration = nil
        case ["for"]: throw .duration("'for' needs a duration, such as for 5m")
        case let more where more.count == 2 && more[0] == "for":
            do throws(DurationTextError) {
                duration = try Duration(text: more[1])
            } catch {
                throw .duration("\(error)")
            }
        case let more: throw .trailing(more.joined(separator: " "))
        }
    }

    /// The condition, with its text as its name.
    public func condition() throws(RuleError) -> ThresholdCondition {
        try ThresholdCondition(
            matchers: selector.matchers, comparison: comparison, threshold: threshold, duration: duration ?? .zero)
    }

    /// The conditions of a list, with commas between them.
    public static func split(_ text: String) -> [String] {
        var parts: [String] = []
        var rest = text[...]
        while let comma = firstOutside(in: rest, [","]) {
            parts.append(String(rest[..<comma]))
            rest = rest[rest.index(after: comma)...]
        }
        return parts + [String(rest)]
    }

    /// The first `<`, `>`, `=` or `!` outside of braces and quotes: a selector has none there.
    private static func comparisonStart(in text: String) -> String.Index? {
        firstOutside(in: text[...], ["<", ">", "=", "!"])
    }

    /// The first of some characters outside of braces and quotes.
    private static func firstOutside(in text: Substring, _ wanted: Set<Character>) -> String.Index? {
        var depth = 0
        var quote: Character?
        var isEscaped = false
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if isEscaped {
                    isEscaped = false
                } else if character == "\\", open != "`" {
                    isEscaped = true
                } else if character == open {
                    quote = nil
                }
                continue
            }
            switch character {
            case "\"", "'", "`": quote = character
            case "{": depth += 1
            case "}": depth -= 1
            default: if depth == 0, wanted.contains(character) { return index }
            }
        }
        return nil
    }
}

/// Why a text is no threshold condition.
public enum ConditionTextError: Error, Hashable, Sendable {
    case noComparison(String)
    case selector(PromQLError)
    case noNumber(String, after: String)
    case duration(String)
    case trailing(String)
}

extension ConditionTextError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noComparison(let text):
            "'\(text)' has no comparison; write SELECTOR, one of >, >=, <, <=, ==, != and a number, such as node_load1 > 8"
        case .selector(let error): "\(error)"
        case .noNumber(let text, let comparison):
            "a number should stand after \(comparison)\(text.isEmpty ? "" : ", not '\(text)'"), such as node_load1 > 8"
        case .duration(let message): message
        case .trailing(let text):
            "'\(text)' stands after the number; only 'for' and a duration may, such as node_load1 > 8 for 5m"
        }
    }
}
