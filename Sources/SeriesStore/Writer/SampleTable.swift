internal import GRDB
internal import MetricModel

/// The table `sample`: the newest samples, one row each, until they are sealed into chunks. Owned by the
/// `SeriesWriter`, used on its connection only.
struct SampleTable {
    private let insert: PreparedStatement
    private let find: PreparedStatement
    private let before: PreparedStatement
    private let bounds: (oldest: PreparedStatement, newest: PreparedStatement)
    private let nthBefore: PreparedStatement
    private let deleteBefore: PreparedStatement

    /// A row.
    struct Stored {
        var series: Int64
        var sample: Sample
    }

    init(_ database: Database) throws {
        insert = try PreparedStatement(
            "INSERT OR IGNORE INTO sample (timestamp, series_id, value) VALUES (?, ?, ?)", on: database)
        find = try PreparedStatement("SELECT 1 FROM sample WHERE timestamp = ? AND series_id = ?", on: database)
        before = try PreparedStatement(
            "SELECT timestamp, series_id, value FROM sample WHERE timestamp < ?", on: database)
        bounds = (
            try PreparedStatement("SELECT timestamp FROM sample ORDER BY timestamp LIMIT 1", on: database),
            try PreparedStatement("SELECT timestamp FROM sample ORDER BY timestamp DESC LIMIT 1", on: database)
        )
        nthBefore = try PreparedStatement(
            "SELECT timestamp FROM sample WHERE timestamp < ? ORDER BY timestamp LIMIT 1 OFFSET ?", on: database)
        deleteBefore = try PreparedStatement("DELETE FROM sample WHERE timestamp < ?", on: database)
    }

    /// Stores a sample; false when its series already has one at that timestamp.
    func store(_ series: Int64, _ timestamp: Timestamp, _ value: Double) throws -> Bool {
        insert.bind(timestamp.milliseconds, at: 1)
        insert.bind(series, at: 2)
        insert.bind(value, at: 3)
        try insert.run()
        return insert.changedRows > 0
    }

    func contains(_ series: Int64, _ timestamp: Timestamp) throws -> Bool {
        find.bind(timestamp.milliseconds, at: 1)
        find.bind(series, at: 2)
        defer { find.reset() }
        return try find.step()
    }

    /// The timestamps of the oldest and the newest row; nil when there is none.
    func range() throws -> ClosedRange<Timestamp>? {
        guard let oldest = try Self.timestamp(bounds.oldest), let newest = try Self.timestamp(bounds.newest) else {
            return nil
        }
        return oldest...max(oldest, newest)
    }

    /// The latest instant before which there are at most `count` rows, and no later than `limit`. It lies between
    /// timestamps, so rows of one timestamp stay together, and it is never before the second timestamp there is.
    func instant(leavingAtMost count: Int, before limit: Timestamp) throws -> Timestamp {
        guard let oldest = try Self.timestamp(bounds.oldest) else { return limit }
        nthBefore.bind(limit.milliseconds, at: 1)
        nthBefore.bind(Int64(count), at: 2)
        guard let instant = try Self.timestamp(nthBefore) else { return limit }
        return max(instant, oldest + .milliseconds(1))
    }

    /// All rows before an instant, in order of time.
    func rows(before instant: Timestamp) throws -> [Stored] {
        before.bind(instant.milliseconds, at: 1)
        var rows: [Stored] = []
        while try before.step() {
            rows.append(
                Stored(
                    series: before.integer(1),
                    sample: Sample(
                        timestamp: Timestamp(milliseconds: before.integer(0)), value: before.sampleValue(2))))
        }
        return rows
    }

    func delete(before instant: Timestamp) throws {
        deleteBefore.bind(instant.milliseconds, at: 1)
        try deleteBefore.run()
    }

    private static func timestamp(_ statement: PreparedStatement) throws -> Timestamp? {
        guard try statement.step() else { return nil }
        defer { statement.reset() }
        return Timestamp(milliseconds: statement.integer(0))
    }
}
