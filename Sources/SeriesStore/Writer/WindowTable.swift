internal import Aggregation
internal import GRDB
internal import MetricModel

extension Resolution {
    /// The table that holds the windows of this width.
    var table: String {
        switch self {
        case .oneMinute: "window_1m"
        case .oneHour: "window_1h"
        }
    }
}

/// What a head adds to one window of one series.
struct WindowPart {
    var start: Timestamp
    var series: Int64
    var aggregate: WindowAggregate
}

/// One window table of the writer. Owned by the `SeriesWriter`, used on its connection only.
struct WindowTable {
    let resolution: Resolution
    private let find: PreparedStatement
    private let put: PreparedStatement
    /// No row is of a later window than this.
    private var latestStart = Timestamp(milliseconds: .min)

    init(_ resolution: Resolution, _ database: Database) throws {
        self.resolution = resolution
        find = try PreparedStatement(
            "SELECT \(WindowRow.columns) FROM \(resolution.table) WHERE start = ? AND series_id = ?", on: database)
        put = try PreparedStatement(
            """
            INSERT OR REPLACE INTO \(resolution.table) (\(WindowRow.columns))
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, on: database)
        try reload(database)
    }

    /// Reads again what is remembered, after a transaction that failed.
    mutating func reload(_ database: Database) throws {
        let latest = try Int64.fetchOne(database, sql: "SELECT max(start) FROM \(resolution.table)")
        latestStart = Timestamp(milliseconds: latest ?? .min)
    }

    /// Merges parts into the stored rows. Sorted by start and series they go through the table in its own order.
    mutating func merge(_ parts: [WindowPart]) throws {
        let latestStored = latestStart
        for part in parts {
            var aggregate = part.aggregate
            // Windows that begin now have no row yet, and need not look for one.
            if part.start <= latestStored, let stored = try stored(part) { aggregate.merge(stored) }
            latestStart = max(latestStart, part.start)
            WindowRow.bind(part.start, part.series, aggregate, to: put)
            try put.run()
        }
    }

    private func stored(_ part: WindowPart) throws -> WindowAggregate? {
        find.bind(part.start.milliseconds, at: 1)
        find.bind(part.series, at: 2)
        guard try find.step() else { return nil }
        defer { find.reset() }
        return WindowRow.aggregate(in: find)
    }
}

/// The columns of a window table, in one place for reading and writing.
enum WindowRow {
    static let columns =
        "start, series_id, count, sum, min, max, first, last, first_timestamp, last_timestamp, sum_remainder"

    static func bind(
        _ start: Timestamp, _ series: Int64, _ aggregate: WindowAggregate, to statement: PreparedStatement
    ) {
        statement.bind(start.milliseconds, at: 1)
        statement.bind(series, at: 2)
        statement.bind(aggregate.count, at: 3)
        statement.bind(aggregate.sum.value, at: 4)
        statement.bind(aggregate.min, at: 5)
        statement.bind(aggregate.max, at: 6)
        statement.bind(aggregate.first.value, at: 7)
        statement.bind(aggregate.last.value, at: 8)
        statement.bind(aggregate.first.timestamp.milliseconds, at: 9)
        statement.bind(aggregate.last.timestamp.milliseconds, at: 10)
        statement.bind(aggregate.sum.remainder, at: 11)
    }

    static func start(in row: PreparedStatement) -> Timestamp {
        Timestamp(milliseconds: row.integer(0))
    }

    static func series(in row: PreparedStatement) -> SeriesID {
        SeriesID(row.integer(1))
    }

    static func aggregate(in row: PreparedStatement) -> WindowAggregate {
        WindowAggregate(
            count: row.integer(2),
            sum: CompensatedSum(value: row.sampleValue(3), remainder: row.sampleValue(10)),
            extremes: Extremes(min: row.sampleValue(4), max: row.sampleValue(5)),
            endpoints: Endpoints(
                first: Sample(timestamp: Timestamp(milliseconds: row.integer(8)), value: row.sampleValue(6)),
                last: Sample(timestamp: Timestamp(milliseconds: row.integer(9)), value: row.sampleValue(7))))
    }
}
