internal import Aggregation
internal import MetricModel
public import SeriesStore

/// Which rules a subscriber evaluates, and whether it can.
enum RuleSelection {
    /// Of each series, minute by minute, what the table of one-minute windows has: what mode `stream` emits without a file.
    static func builtIn() throws -> [AggregationRule] {
        [
            try AggregationRule(
                name: "every series", selectors: [[try LabelMatcher(Label.metricName, .notEqual, "")]],
                windows: try WindowSpecification(interval: .seconds(60)),
                outputs: [.countSamples, .sumSamples, .min, .max, .first, .last])
        ]
    }

    /// - Throws: ``RuleSelectionError``.
    static func rules(_ configuration: SubscriberConfiguration) throws -> [AggregationRule] {
        guard configuration.mode.closesWindows else {
            if let path = configuration.rules?.path {
                throw RuleSelectionError.mode(configuration.mode, path: path)
            }
            return []
        }
        let standard = configuration.mode == .stream ? try builtIn() : []
        let rules = configuration.rules?.rules.map(\.content) ?? standard
        if !rules.isEmpty, configuration.bootstrap.isEmpty { throw RuleSelectionError.noCluster(configuration.mode) }
        for rule in rules { try check(rule, configuration.retention) }
        return rules
    }

    /// A window is evaluated from raw samples, so these have to be there until it is, and for what comes late.
    private static func check(_ rule: AggregationRule, _ policy: RetentionPolicy) throws {
        let needed = rule.windows.interval + rule.reach + rule.lateness + .seconds(60)
        for selector in rule.selectors {
            var isDecided = false
            for other in policy.rules where !isDecided && selector.mayMeet(other.matchers) {
                try check(rule, needed, other.retention)
                isDecided = selector.always(meets: other.matchers)
            }
            if !isDecided { try check(rule, needed, policy.otherwise) }
        }
    }

    private static func check(_ rule: AggregationRule, _ needed: Duration, _ retention: Retention) throws {
        guard let samples = retention.samples, samples < needed else { return }
        throw RuleSelectionError.retention(rule: rule.name, needed: needed, retention: retention)
    }
}

/// Rules that cannot be evaluated as they were asked for.
public enum RuleSelectionError: Error, Hashable, Sendable {
    case mode(ProcessingMode, path: String)
    case noCluster(ProcessingMode)
    case retention(rule: String, needed: Duration, retention: Retention)
}

extension RuleSelectionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .mode(let mode, let path):
            """
            mode \(mode.rawValue) evaluates no rules, and would leave those of \(path) aside; use --mode stream (windows) or \
            --mode realtime (windows and alerts), or leave --rules out
            """
        case .noCluster(let mode):
            "mode \(mode.rawValue) publishes to topics, and there are no brokers; give --bootstrap, or use --mode batch"
        case .retention(let rule, let needed, let retention):
            """
            rule '\(rule)' is evaluated from raw samples of up to \(needed.shortText) ago (its interval, the time counters look \
            back, its lateness and a minute), but some of its series are kept for less: '\(retention)'; keep raw samples for \
            longer (--retention), or make the interval or the staleness_interval shorter
            """
        }
    }
}

extension [LabelMatcher] {
    /// Whether there may be a series that meets these and the others.
    fileprivate func mayMeet(_ others: [LabelMatcher]) -> Bool {
        !excludes(others) && !others.excludes(self)
    }

    /// Whether a label may only have values here that it cannot have there.
    private func excludes(_ others: [LabelMatcher]) -> Bool {
        contains { matcher in
            guard let values = matcher.onlyValues else { return false }
            let same = others.filter { $0.name == matcher.name }
            return !values.contains { value in same.allSatisfy { $0.matches(value: value) } }
        }
    }

    /// Whether each series that meets these meets the others, as far as it can be told.
    fileprivate func always(meets others: [LabelMatcher]) -> Bool {
        others.allSatisfy { other in
            contains { matcher in
                guard matcher.name == other.name else { return false }
                return matcher == other || matcher.onlyValues?.allSatisfy { other.matches(value: $0) } ?? false
            }
        }
    }
}
