internal import GRDB
internal import MetricModel

/// The table `sample`: base-resolution samples, one row each. Owned by the `SeriesWriter`, used on its connection
/// only.
struct SampleTable {
    private let insert: PreparedStatement

    init(_ database: Database) throws {
        insert = try PreparedStatement(
            "INSERT OR IGNORE INTO sample (timestamp, series_id, value) VALUES (?, ?, ?)", on: database)
    }

    /// Stores a sample; false when its series already has one at that timestamp.
    func store(_ series: Int64, _ timestamp: Timestamp, _ value: Double) throws -> Bool {
        insert.bind(timestamp.milliseconds, at: 1)
        insert.bind(series, at: 2)
        insert.bind(value, at: 3)
        try insert.run()
        return insert.changedRows > 0
    }
}
