internal import GRDB
internal import MetricModel

/// Deletes what is older than its retention, in steps that are short enough to go between two commits: table by table, of
/// each retention from its oldest row on. With the last window of a series the series itself goes.
///
/// How far it has come is in the database (`retention_progress`), so a kill costs nothing. Owned by the `SeriesWriter`.
struct Expiry {
    /// Rows a step looks at, at most; fewer on a slow disk.
    private static let rowsPerStep = 16...2000
    /// How long a step should take at most.
    private static let goal = Duration.milliseconds(10)
    /// When nothing was due, the next look is this much later.
    private static let pause = Duration.seconds(10)

    /// A row, by its key.
    private struct Place: Equatable {
        var time: Timestamp
        var series: Int64

        static let beginning = Place(time: Timestamp(milliseconds: .min), series: .min)
    }

    private struct Key: Hashable {
        let retention: Int64
        let table: ExpiringTable.Name
    }

    private let tables: [ExpiringTable]
    private let dying: PreparedStatement
    private let putProgress: PreparedStatement
    private var progress: [Key: Place] = [:]
    private var rowLimit = Self.rowsPerStep.upperBound
    private var idleUntil = Timestamp(milliseconds: .min)

    init(_ database: Database) throws {
        tables = try ExpiringTable.Name.allCases.map { try ExpiringTable($0, database) }
        dying = try PreparedStatement(
            """
            SELECT state.series_id FROM window_1h AS hour JOIN series_state AS state USING (series_id)
            WHERE hour.start = ?1 AND hour.series_id >= ?2 AND hour.series_id < ?3
                AND state.retention = ?4 AND state.last_hour <= ?1
            """, on: database)
        putProgress = try PreparedStatement(
            """
            INSERT INTO retention_progress (retention, "table", "before") VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET "before" = excluded."before"
            """, on: database)
        try reload(database)
    }

    /// Reads again what is remembered, after a transaction that failed, or when another process did this before.
    mutating func reload(_ database: Database) throws {
        progress = [:]
        let rows = try PreparedStatement(#"SELECT retention, "table", "before" FROM retention_progress"#, on: database)
        while try rows.step() {
            guard let table = ExpiringTable.Name(rawValue: rows.text(1)) else { continue }
            progress[Key(retention: rows.integer(0), table: table)] = Place(
                time: Timestamp(milliseconds: rows.integer(2)), series: .min)
        }
    }

    /// Does one step, as part of a transaction. Gives whether there is more to do now.
    ///
    /// - Parameter settledBefore: rows of samples from here on are in no window yet, and stay.
    mutating func step(_ series: inout KnownSeries, now: Timestamp, settledBefore: Timestamp) throws -> Bool {
        guard now >= idleUntil else { return false }
        let start = ContinuousClock.now
        defer { adapt(to: .now - start) }
        for (index, entry) in series.retentions.entries.enumerated() {
            for table in tables {
                guard var border = table.name.border(of: entry.retention, now: now) else { continue }
                if table.name == .sample { border = min(border, settledBefore) }
                let key = Key(retention: entry.id, table: table.name)
                let place = progress[key] ?? .beginning
                guard place.time < border, let first = try table.firstTime(from: place.time, before: border) else {
                    continue
                }
                if table.name == .sample || table.name == .chunk {
                    try series.raiseFloor(ofRetention: index, to: entry.firstTaken(now: now))
                }
                let from = first == place.time ? place : Place(time: first, series: .min)
                let end = try delete(from: from, before: border, of: entry.id, table, &series, now: now)
                try note(end, key)
                return true
            }
        }
        if try series.forgetRemovals(now: now) { return true }
        idleUntil = now + Self.pause
        return false
    }

    /// Deletes up to `rowLimit` rows, and gives where to go on.
    private func delete(
        from: Place, before border: Timestamp, of retention: Int64, _ table: ExpiringTable,
        _ series: inout KnownSeries, now: Timestamp
    ) throws -> Place {
        var place = from
        var rest = rowLimit
        while rest > 0 {
            let end = try table.series(at: place.time, from: place.series, after: rest)
            let range = place.series..<(end ?? .max)
            var dead: [Int64] = []
            if table.name == .hours { dead = try self.dead(at: place.time, range, retention) }
            let deleted = try table.delete(at: place.time, series: range, retention: retention)
            try series.remove(dead, now: now)
            if let end { return Place(time: place.time, series: end) }
            // A time without rows of this retention costs a look too.
            rest -= max(deleted, 16)
            guard let next = try table.firstTime(from: place.time + .milliseconds(1), before: border) else {
                return Place(time: border, series: .min)
            }
            place = Place(time: next, series: .min)
        }
        return place
    }

    /// The series whose last window is among these.
    private func dead(at time: Timestamp, _ series: Range<Int64>, _ retention: Int64) throws -> [Int64] {
        dying.bind(time.milliseconds, at: 1)
        dying.bind(series.lowerBound, at: 2)
        dying.bind(series.upperBound, at: 3)
        dying.bind(retention, at: 4)
        var dead: [Int64] = []
        while try dying.step() { dead.append(dying.integer(0)) }
        return dead
    }

    private mutating func note(_ place: Place, _ key: Key) throws {
        if progress[key]?.time != place.time {
            putProgress.bind(key.retention, at: 1)
            putProgress.bind(key.table.rawValue, at: 2)
            putProgress.bind(place.time.milliseconds, at: 3)
            try putProgress.run()
        }
        progress[key] = place
    }

    private mutating func adapt(to duration: Duration) {
        let wanted = duration > Self.goal ? rowLimit / 2 : rowLimit * 2
        rowLimit = min(max(wanted, Self.rowsPerStep.lowerBound), Self.rowsPerStep.upperBound)
    }
}
