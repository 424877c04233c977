internal import Aggregation
internal import GRDB
internal import MetricModel

/// Up to where samples are in the window tables. Those behind it are counted when their minute is settled
/// (`WindowTables`); until then their rows in `sample` are all there is of them.
struct SettledBorder: Hashable, Sendable {
    /// The beginning of a minute, before which everything is settled.
    var before: Timestamp
    /// Of the minute that begins there, series before this one are settled too.
    var series: Int64

    /// No series has a smaller id.
    static let firstSeries: Int64 = 0

    /// Whether a sample of this series and time is in the window tables.
    func covers(_ timestamp: Timestamp, _ series: Int64) -> Bool {
        timestamp < before || (series < self.series && timestamp < before + Resolution.oneMinute.duration)
    }

    static func read(_ database: Database) throws -> SettledBorder {
        let row = try PreparedStatement("SELECT settled_before, series_id FROM settling", on: database)
        guard try row.step() else { return SettledBorder(before: Timestamp(milliseconds: .min), series: firstSeries) }
        return SettledBorder(before: Timestamp(milliseconds: row.integer(0)), series: row.integer(1))
    }
}
