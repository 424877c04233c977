public import MetricModel

/// Which series are aggregated, over which windows, by which labels, and into what.
///
/// The words are those of VictoriaMetrics stream aggregation (`match`, `interval`, `by`, `without`, `outputs`,
/// `staleness_interval`) and of Prometheus recording rules (`record`, `labels`); `every` and `lateness` are ours.
/// A rule is checked when it is made. A plain value.
public struct AggregationRule: Hashable, Sendable {
    /// Which series belong together. The metric's name always separates them, unless `record` gives another one.
    public enum Grouping: Hashable, Sendable {
        /// Each series alone.
        case each
        /// Those with the same values of these labels; none at all: all series of a metric.
        case by([String])
        /// Those with the same values of all other labels.
        case without([String])
    }

    /// How long after its end, in event time, a window waits for samples.
    public static let defaultLateness: Duration = .seconds(10)

    /// Unique among the rules of a subscriber; results are stored under it.
    public let name: String
    /// A series is taken when it meets all matchers of one of these.
    public let selectors: [[LabelMatcher]]
    public let windows: WindowSpecification
    public let grouping: Grouping
    public let outputs: [RuleOutput]
    public let lateness: Duration
    /// How far before a window a counter's last sample may lie for the counter to be measured from it.
    public let staleness: Duration
    /// The name of what comes out, instead of `metric:1m_by_instance_increase`.
    public let record: String?
    /// Set on everything that comes out.
    public let labels: Labels

    /// - Parameters:
    ///   - name: nil for one made of selectors and windows.
    ///   - lateness: nil for ``defaultLateness``.
    ///   - staleness: nil for five minutes, or twice the interval if that is longer.
    /// - Throws: ``RuleError``, which names the key and what would be right.
    public init(
        name: String? = nil, selectors: [[LabelMatcher]], windows: WindowSpecification, grouping: Grouping = .each,
        outputs: [RuleOutput], lateness: Duration? = nil, staleness: Duration? = nil, record: String? = nil,
        labels: Labels = Labels()
    ) throws(RuleError) {
        let grouping = grouping.canonical
        let suffix = Self.suffix(windows, grouping)
        self.name = name ?? record ?? selectors.map(Self.text(of:)).joined(separator: " or ") + ":" + suffix
        self.selectors = selectors
        self.windows = windows
        self.grouping = grouping
        self.outputs = outputs
        self.lateness = lateness ?? Self.defaultLateness
        self.staleness = staleness ?? Swift.max(.seconds(300), windows.interval * 2)
        self.record = record
        self.labels = labels
        try check()
    }

    /// Whether an output is measured from the last sample before the window.
    public var needsPrevious: Bool { outputs.contains(where: \.needsPrevious) }

    /// How far before a window's start samples have a say in its result: what `WindowLedger` calls its reach.
    public var reach: Duration { needsPrevious ? staleness : .zero }

    /// Whether the rule takes a series.
    public func matches(_ labels: Labels) -> Bool {
        selectors.contains { $0.allSatisfy { $0.matches(labels) } }
    }

    /// An empty ledger for the rule's windows.
    public func ledger() -> WindowLedger {
        WindowLedger(specification: windows, lateness: lateness, reach: reach)
    }
}

// MARK: - Names

extension AggregationRule {
    /// The name of what an output gives of a metric: `node_load1:1m_by_instance_avg`, or `record`.
    public func outputName(of metricName: String, _ output: RuleOutput) -> String {
        record ?? "\(metricName):\(Self.suffix(windows, grouping))_\(output.name)"
    }

    /// The part that the names of all outputs of a group have in common: `node_load1:1m_by_instance`, or `record`.
    public func groupName(of metricName: String) -> String {
        record ?? "\(metricName):\(Self.suffix(windows, grouping))"
    }

    /// `1m_by_instance`, as VictoriaMetrics names it.
    private static func suffix(_ windows: WindowSpecification, _ grouping: Grouping) -> String {
        switch grouping {
        case .each, .by([]): "\(windows)"
        case .by(let names): "\(windows)_by_\(names.joined(separator: "_"))"
        case .without(let names): "\(windows)_without_\(names.joined(separator: "_"))"
        }
    }

    /// A selector as one writes it.
    public static func text(of matchers: [LabelMatcher]) -> String {
        var name = ""
        var others = matchers[...]
        if let first = matchers.first, first.name == Label.metricName, first.operation == .equal,
            Label.isPlainMetricName(first.value)
        {
            name = first.value
            others = matchers.dropFirst()
        }
        guard !others.isEmpty || name.isEmpty else { return name }
        return "\(name){\(others.map(\.description).joined(separator: ","))}"
    }

    /// What the results depend on, as text: when it changes under the same name, stored results are another rule's.
    public var definition: String {
        let selectors = selectors.map(Self.text(of:)).sorted().joined(separator: " or ")
        let outputs = outputs.map(\.description).sorted().joined(separator: ", ")
        return "\(selectors) | \(windows) | \(grouping) | \(outputs) | staleness \(reach.shortText)"
            + " | record \(record ?? "-") | labels \(labels)"
    }
}

extension AggregationRule.Grouping {
    /// Names sorted, each once; the metric's name is understood.
    var canonical: AggregationRule.Grouping {
        func sorted(_ names: [String]) -> [String] { Set(names).sorted() }
        switch self {
        case .each: return .each
        case .by(let names): return .by(sorted(names.filter { $0 != Label.metricName }))
        case .without(let names): return .without(sorted(names))
        }
    }
}

extension AggregationRule.Grouping: CustomStringConvertible {
    public var description: String {
        switch self {
        case .each: "each series"
        case .by(let names): names.isEmpty ? "all series of a metric" : "by \(names.joined(separator: ", "))"
        case .without(let names): "without \(names.joined(separator: ", "))"
        }
    }
}
