/// One output of all groups of a window. Called once per series, never per sample, so that it may be any type.
protocol OutputColumn: Sendable {
    mutating func add(_ run: SeriesRun, to group: Int)

    /// The results of a group, with the `quantile` label where there are several.
    func forEachResult(of group: Int, _ body: (Double, String?) -> Void)
}

/// The column of an aggregate that has one result.
struct AggregateColumn<Kind: Aggregate>: OutputColumn {
    private var aggregates: [Kind]

    init(groupCount: Int) {
        aggregates = [Kind](repeating: Kind(), count: groupCount)
    }

    mutating func add(_ run: SeriesRun, to group: Int) {
        aggregates[group].add(run)
    }

    func forEachResult(of group: Int, _ body: (Double, String?) -> Void) {
        if let value = aggregates[group].value { body(value, nil) }
    }
}
