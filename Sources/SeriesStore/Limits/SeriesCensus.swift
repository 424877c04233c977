internal import GRDB
internal import MetricModel

/// Counts the series of a database by metric and by source, and says whether there is room for one more. Owned by the
/// `SeriesWriter`, used on its connection only.
struct SeriesCensus {
    /// Series looked at to find the label with the most values.
    private static let labelSample = 10_000

    private let limits: SeriesLimits
    private let ofMetric: PreparedStatement
    private var total = 0
    private var metrics: [String: Int] = [:]
    private var sources: [String: Int] = [:]
    /// The metric with the most series, looked for when there are too many.
    private var largestMetric: String?
    /// The label with the most values, by metric, found once.
    private var labels: [String: (name: String, values: Int)] = [:]

    init(_ limits: SeriesLimits, _ database: Database) throws {
        self.limits = limits
        ofMetric = try PreparedStatement(
            "SELECT labels FROM series WHERE metric = ? LIMIT \(Self.labelSample)", on: database)
        try reload(database)
    }

    /// Counts again, after a transaction that failed.
    mutating func reload(_ database: Database) throws {
        largestMetric = nil
        let byMetric = try PreparedStatement("SELECT metric, count(*) FROM series GROUP BY metric", on: database)
        (metrics, sources, total) = ([:], [:], 0)
        while try byMetric.step() {
            let count = Int(byMetric.integer(1))
            metrics[byMetric.text(0)] = count
            total += count
        }
        let bySource = try PreparedStatement(
            """
            SELECT value, (SELECT count(*) FROM series_label WHERE label_id = id) FROM label WHERE name = ?
            """, on: database)
        bySource.bind(SeriesLimits.sourceLabel, at: 1)
        while try bySource.step() { sources[bySource.text(0)] = Int(bySource.integer(1)) }
    }

    /// The limit that one more series with these labels would exceed; nil when there is room.
    mutating func limit(against labels: Labels) -> SeriesOverflow.Cause? {
        let metric = labels.metricName
        if metrics[metric, default: 0] >= limits.perMetric {
            return SeriesOverflow.Cause(limit: .perMetric, culprit: metric)
        }
        if let source = labels[SeriesLimits.sourceLabel], sources[source, default: 0] >= limits.perSource {
            return SeriesOverflow.Cause(limit: .perSource, culprit: source)
        }
        if total >= limits.total {
            let largest = largestMetric ?? metrics.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? metric
            largestMetric = largest
            return SeriesOverflow.Cause(limit: .total, culprit: largest)
        }
        return nil
    }

    mutating func count(_ labels: Labels, _ change: Int) {
        total += change
        metrics[labels.metricName, default: 0] += change
        if let source = labels[SeriesLimits.sourceLabel] { sources[source, default: 0] += change }
    }

    /// The label that makes a metric's series many. A walk over some thousand series, once for each metric.
    mutating func mostVaried(of metric: String) throws -> (name: String, values: Int) {
        if let known = labels[metric] { return known }
        var values: [String: Set<String>] = [:]
        ofMetric.bind(metric, at: 1)
        while try ofMetric.step() {
            for label in try Labels(parsing: ofMetric.text(0)) where label.name != Label.metricName {
                values[label.name, default: []].insert(label.value)
            }
        }
        let most = values.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        let found = (name: most?.key ?? "", values: most?.value.count ?? 0)
        labels[metric] = found
        return found
    }
}
