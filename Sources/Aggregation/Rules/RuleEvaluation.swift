public import MetricModel

/// Evaluates a rule over one window: takes the samples of each matching series, gives the outputs of each group.
///
///     var evaluation = RuleEvaluation(of: groups, in: window)
///     for (series, samples) in stored { evaluation.add(samples, to: group[series]) }
///     let result = evaluation.result()
///
/// The result is a function of the samples alone. Series may come in any order, each once. Staleness markers are left out; what
/// NaN and infinities do stands with each aggregate: they are values that are counted, NaN makes sums NaN and is passed
/// over by min, max and quantiles, counters pass over readings that are not finite.
///
/// A plain value, made for one evaluation. Costs some nanoseconds per sample and output.
public struct RuleEvaluation: Sendable {
    public let window: Window
    private let groups: RuleGroups
    private let staleness: Duration
    private var columns: [any OutputColumn]
    /// Which groups got a sample.
    private var isUsed: [Bool]

    /// - Parameter groups: with the groups of all series that will be added.
    public init(of groups: RuleGroups, in window: Window) {
        self.window = window
        self.groups = groups
        staleness = groups.rule.staleness
        columns = groups.rule.outputs.map { $0.column(groupCount: groups.count) }
        isUsed = [Bool](repeating: false, count: groups.count)
    }

    /// Adds one series.
    ///
    /// - Parameters:
    ///   - samples: ascending by time. Those from the window's start to its end count. Where the rule's `needsPrevious` is
    ///     true, the last one before that is taken too, if it is not older than the rule's `staleness`; more do no harm.
    ///   - group: from the groups this evaluation was made with.
    public mutating func add(_ samples: some Collection<Sample>, to group: RuleGroups.Index) {
        add(ArraySlice(samples), to: group)
    }

    /// The same, without a copy.
    public mutating func add(_ samples: ArraySlice<Sample>, to group: RuleGroups.Index) {
        let start = Self.firstIndex(in: samples, at: window.start)
        let end = Self.firstIndex(in: samples[start...], at: window.end)
        var inside = samples[start..<end]
        // Most series have no marker, and are taken as they are.
        if inside.contains(where: \.value.isStalenessMarker) {
            inside = inside.filter { !$0.value.isStalenessMarker }[...]
        }
        guard !inside.isEmpty else { return }
        isUsed[group.number] = true
        let run = SeriesRun(samples: inside, previous: previous(in: samples[..<start]))
        for index in columns.indices { columns[index].add(run, to: group.number) }
    }

    private func previous(in earlier: ArraySlice<Sample>) -> Sample? {
        let oldest = window.start - staleness
        guard let last = earlier.last(where: { !$0.value.isStalenessMarker }), last.timestamp >= oldest else {
            return nil
        }
        return last
    }

    /// The outputs of all groups that got a sample.
    public consuming func result() -> RuleResult {
        let window = window
        return RuleResult(window: window, rows: groupResults().flatMap(\.rows))
    }

    /// The same, group by group.
    public consuming func groupResults() -> [GroupResult] {
        var results: [GroupResult] = []
        let rule = groups.rule
        for (number, key) in groups.keys.prefix(isUsed.count).enumerated() where isUsed[number] {
            let metricName = key.metricName
            let labels = rule.labels.reduce(key) { $0.setting($1.name, to: $1.value) }
            var rows: [OutputSample] = []
            for (column, output) in zip(columns, rule.outputs) {
                let named = labels.setting(Label.metricName, to: rule.outputName(of: metricName, output))
                column.forEachResult(of: number) { value, quantile in
                    let labels = quantile.map { named.setting(AggregationRule.quantileLabel, to: $0) } ?? named
                    // Adding zero makes one zero of the two.
                    rows.append(OutputSample(labels: labels, value: value + 0))
                }
            }
            guard !rows.isEmpty else { continue }
            let name = labels.setting(Label.metricName, to: rule.groupName(of: metricName))
            results.append(GroupResult(group: RuleGroups.Index(number: number), labels: name, rows: rows))
        }
        return results
    }

    private static func firstIndex(in samples: ArraySlice<Sample>, at time: Timestamp) -> Int {
        var low = samples.startIndex
        var high = samples.endIndex
        while low < high {
            let middle = (low + high) / 2
            if samples[middle].timestamp < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension AggregationRule {
    /// Evaluates the rule over one window of a few series: for tests and tools. Series that do not match are passed over.
    public func evaluate(_ window: Window, series: [(labels: Labels, samples: [Sample])]) -> RuleResult {
        var groups = RuleGroups(of: self)
        let members = series.map { groups.group(of: $0.labels) }
        var evaluation = RuleEvaluation(of: groups, in: window)
        for (group, series) in zip(members, series) {
            if let group { evaluation.add(series.samples[...], to: group) }
        }
        return evaluation.result()
    }
}
