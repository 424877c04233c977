public import MetricModel

/// How long the data of a series is kept, by resolution; nil is for ever. Never shorter than the finer resolution's, so
/// that what is coarser outlives what it was made from.
public struct Retention: Hashable, Sendable {
    /// Of the samples as they came.
    public let samples: Duration?
    /// Of the one-minute windows.
    public let minutes: Duration?
    /// Of the one-hour windows.
    public let hours: Duration?

    public static let forever = Retention()

    private init() {
        (samples, minutes, hours) = (nil, nil, nil)
    }

    /// - Throws: when a duration is not positive, or a coarser resolution would go before a finer one.
    public init(samples: Duration?, minutes: Duration?, hours: Duration?) throws(RetentionError) {
        for duration in [samples, minutes, hours] {
            if let duration, duration < .milliseconds(1) { throw .notPositive }
        }
        guard Self.isShorterOrEqual(samples, minutes) else { throw .unordered(finer: "raw", coarser: "1m") }
        guard Self.isShorterOrEqual(minutes, hours) else { throw .unordered(finer: "1m", coarser: "1h") }
        (self.samples, self.minutes, self.hours) = (samples, minutes, hours)
    }

    private static func isShorterOrEqual(_ one: Duration?, _ other: Duration?) -> Bool {
        guard let other else { return true }
        return one.map { $0 <= other } ?? false
    }
}

extension Retention: CustomStringConvertible {
    /// As the setting is written: `raw=15d 1m=90d 1h=forever`.
    public var description: String {
        let texts = [samples, minutes, hours].map { $0?.shortText ?? "forever" }
        return "raw=\(texts[0]) 1m=\(texts[1]) 1h=\(texts[2])"
    }
}

/// Why durations make no retention.
public enum RetentionError: Error, Hashable, CustomStringConvertible {
    case notPositive
    case unordered(finer: String, coarser: String)

    public var description: String {
        switch self {
        case .notPositive: "a retention is longer than zero; 'forever' keeps everything"
        case .unordered(let finer, let coarser):
            "the retention of \(coarser) must not be shorter than that of \(finer), from which it is made"
        }
    }
}

/// Which series are kept for how long: the first rule whose matchers a series meets, else the default.
public struct RetentionPolicy: Hashable, Sendable {
    /// Series, and how long they are kept.
    public struct Rule: Hashable, Sendable {
        public let matchers: [LabelMatcher]
        public let retention: Retention

        public init(matchers: [LabelMatcher], retention: Retention) {
            self.matchers = matchers
            self.retention = retention
        }
    }

    public let rules: [Rule]
    public let otherwise: Retention

    public static let forever = RetentionPolicy(otherwise: .forever)

    public init(rules: [Rule] = [], otherwise: Retention) {
        self.rules = rules
        self.otherwise = otherwise
    }

    public func retention(of labels: Labels) -> Retention {
        for rule in rules where rule.matchers.allSatisfy({ $0.matches(labels) }) { return rule.retention }
        return otherwise
    }
}

extension RetentionPolicy: CustomStringConvertible {
    /// The text by which a database recognises the policy it was last opened with.
    public var description: String {
        let rules = rules.map { "{\($0.matchers.map(\.description).joined(separator: ","))} \($0.retention)" }
        return (rules + ["\(otherwise)"]).joined(separator: "; ")
    }
}
