internal import GRDB

/// The table `series_overflow`: what was refused because of a limit, in all, for those who look at the database later.
/// Owned by the `SeriesWriter`, used on its connection only.
struct OverflowTable {
    private let put: PreparedStatement

    init(_ database: Database) throws {
        put = try PreparedStatement(
            """
            INSERT INTO series_overflow ("limit", culprit, metric, label, label_values, series, samples)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET metric = excluded.metric, label = excluded.label,
                label_values = excluded.label_values, series = series + excluded.series,
                samples = samples + excluded.samples
            """, on: database)
    }

    func add(_ overflow: SeriesOverflow) throws {
        put.bind(overflow.cause.limit.rawValue, at: 1)
        put.bind(overflow.cause.culprit, at: 2)
        put.bind(overflow.metric, at: 3)
        put.bind(overflow.label, at: 4)
        put.bind(Int64(overflow.labelValues), at: 5)
        put.bind(overflow.series, at: 6)
        put.bind(overflow.samples, at: 7)
        try put.run()
    }

    static func read(_ database: Database) throws -> [SeriesOverflow] {
        let rows = try PreparedStatement(
            """
            SELECT "limit", culprit, metric, label, label_values, series, samples FROM series_overflow
            ORDER BY samples DESC
            """, on: database)
        var found: [SeriesOverflow] = []
        while try rows.step() {
            guard let limit = SeriesOverflow.Limit(rawValue: rows.text(0)) else { continue }
            found.append(
                SeriesOverflow(
                    cause: .init(limit: limit, culprit: rows.text(1)), metric: rows.text(2), label: rows.text(3),
                    labelValues: Int(rows.integer(4)), series: rows.integer(5), samples: rows.integer(6)))
        }
        return found
    }
}
