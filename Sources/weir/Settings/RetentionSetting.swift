import ArgumentParser
import MetricModel
import PromQL
import SeriesStore

/// `[SELECTOR] raw=15d 1m=90d 1h=2y; …`: how long series are kept. The part without a selector is for all that no other
/// part selects; the first selector that fits counts. A resolution that a part leaves out is as in the part without a
/// selector, `forever` keeps it.
struct RetentionSetting: ExpressibleByArgument {
    /// As Prometheus keeps samples by default, and windows for as long as they cost next to nothing.
    static let standard = RetentionSetting(RetentionPolicy(otherwise: defaultRetention))

    let policy: RetentionPolicy

    private static var defaultRetention: Retention {
        let day = Duration.seconds(86_400)
        // These three are in order, so there is nothing to throw.
        return (try? Retention(samples: day * 15, minutes: day * 90, hours: day * 730)) ?? .forever
    }

    private init(_ policy: RetentionPolicy) {
        self.policy = policy
    }

    init?(argument: String) {
        guard let policy = try? Self.parse(argument) else { return nil }
        self.policy = policy
    }

    static var allValueStrings: [String] {
        ["'raw=15d 1m=90d 1h=2y'", "'{job=\"lab\"} raw=2h 1m=1d 1h=1w; raw=15d 1m=90d 1h=forever'"]
    }

    /// - Throws: what is wrong with the text.
    static func parse(_ text: String) throws -> RetentionPolicy {
        let parts = split(text).map { split(part: $0) }
        var otherwise = defaultRetention
        for part in parts where part.selector.isEmpty {
            otherwise = try retention(part.durations, inheriting: otherwise)
        }
        let rules = try parts.filter { !$0.selector.isEmpty }.map { part in
            RetentionPolicy.Rule(
                matchers: try VectorSelector(parsing: part.selector).matchers,
                retention: try retention(part.durations, inheriting: otherwise))
        }
        return RetentionPolicy(rules: rules, otherwise: otherwise)
    }

    /// At semicolons that are not within quotes.
    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var quote: Character?
        var isEscaped = false
        for index in text.indices {
            let character = text[index]
            if isEscaped {
                isEscaped = false
            } else if character == "\\", quote != nil {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == ";" {
                parts.append(text[start..<index])
                start = text.index(after: index)
            }
        }
        parts.append(text[start...])
        return parts.filter { !$0.allSatisfy(\.isWhitespace) }
    }

    /// The words at the end that are durations, and what stands before them.
    private static func split(part: Substring) -> (selector: String, durations: [Substring]) {
        var rest = part
        var durations: [Substring] = []
        while true {
            while rest.last?.isWhitespace == true { rest.removeLast() }
            let word = rest.reversed().prefix { !$0.isWhitespace }.count
            let last = rest.suffix(word)
            guard ["raw=", "1m=", "1h="].contains(where: last.hasPrefix) else { break }
            durations.insert(last, at: 0)
            rest.removeLast(word)
        }
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        return (String(rest), durations)
    }

    private static func retention(_ durations: [Substring], inheriting: Retention) throws -> Retention {
        guard !durations.isEmpty else { throw CommandError("a retention names at least one of raw=, 1m= and 1h=") }
        var values: [Substring: Duration?] = [
            "raw": inheriting.samples, "1m": inheriting.minutes, "1h": inheriting.hours,
        ]
        for word in durations {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[parts[0]] = parts[1] == "forever" ? .some(nil) : try Duration(text: String(parts[1]))
        }
        return try Retention(
            samples: values["raw"] ?? nil, minutes: values["1m"] ?? nil, hours: values["1h"] ?? nil)
    }
}
