internal import Aggregation
internal import GRDB
internal import MetricModel

/// One of the tables from which what is too old is deleted: rows by a time and a series. Owned by the `SeriesWriter`, used on
/// its connection only.
struct ExpiringTable {
    /// The tables, finer ones first.
    enum Name: String, CaseIterable {
        case sample
        case chunk
        case minutes = "window_1m"
        case hours = "window_1h"

        /// The column that says when.
        var timeColumn: String {
            switch self {
            case .sample: "timestamp"
            case .chunk: "hour"
            case .minutes, .hours: "start"
            }
        }

        /// How long after that a row's data may lie, in milliseconds.
        var span: Int64 {
            switch self {
            case .sample: 1
            case .chunk: Chunk.span.milliseconds
            case .minutes: Resolution.oneMinute.milliseconds
            case .hours: Resolution.oneHour.milliseconds
            }
        }

        func duration(in retention: Retention) -> Duration? {
            switch self {
            case .sample, .chunk: retention.samples
            case .minutes: retention.minutes
            case .hours: retention.hours
            }
        }

        /// Rows of an earlier time have expired as a whole; nil when none ever does.
        func border(of retention: Retention, now: Timestamp) -> Timestamp? {
            guard let duration = duration(in: retention) else { return nil }
            return now - duration - .milliseconds(span - 1)
        }
    }

    let name: Name
    private let nextTime: PreparedStatement
    private let nthSeries: PreparedStatement
    private let delete: PreparedStatement

    init(_ name: Name, _ database: Database) throws {
        self.name = name
        let (table, time) = (name.rawValue, name.timeColumn)
        nextTime = try PreparedStatement(
            "SELECT \(time) FROM \(table) WHERE \(time) >= ? AND \(time) < ? ORDER BY \(time) LIMIT 1", on: database)
        nthSeries = try PreparedStatement(
            """
            SELECT series_id FROM \(table) WHERE \(time) = ? AND series_id >= ? ORDER BY series_id LIMIT 1 OFFSET ?
            """, on: database)
        delete = try PreparedStatement(
            """
            DELETE FROM \(table) WHERE \(time) = ?1 AND series_id >= ?2 AND series_id < ?3 AND EXISTS
                (SELECT 1 FROM series_state AS state
                 WHERE state.series_id = \(table).series_id AND state.retention = ?4)
            """, on: database)
    }

    /// The earliest time of any row in a range.
    func firstTime(from: Timestamp, before: Timestamp) throws -> Timestamp? {
        nextTime.bind(from.milliseconds, at: 1)
        nextTime.bind(before.milliseconds, at: 2)
        guard try nextTime.step() else { return nil }
        defer { nextTime.reset() }
        return Timestamp(milliseconds: nextTime.integer(0))
    }

    /// The series of the row that lies `count` rows after the first of `series` at that time; nil when there are fewer.
    func series(at time: Timestamp, from series: Int64, after count: Int) throws -> Int64? {
        nthSeries.bind(time.milliseconds, at: 1)
        nthSeries.bind(series, at: 2)
        nthSeries.bind(Int64(count), at: 3)
        guard try nthSeries.step() else { return nil }
        defer { nthSeries.reset() }
        return nthSeries.integer(0)
    }

    /// Deletes the rows of one time and a range of series, of those series that have this retention.
    ///
    /// - Returns: how many went.
    func delete(at time: Timestamp, series: Range<Int64>, retention: Int64) throws -> Int {
        delete.bind(time.milliseconds, at: 1)
        delete.bind(series.lowerBound, at: 2)
        delete.bind(series.upperBound, at: 3)
        delete.bind(retention, at: 4)
        try delete.run()
        return delete.changedRows
    }
}
