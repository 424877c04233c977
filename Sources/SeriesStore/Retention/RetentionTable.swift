internal import GRDB
internal import MetricModel

/// The table `retention`: which retentions series of this database have, each with how far its deletion has come.
/// Owned by the `SeriesWriter`, used on its connection only.
///
/// A series has the number of its retention in `series_state`. When the database is opened with another policy than
/// the last time, all series get theirs anew.
struct RetentionTable {
    /// One retention that some series may have.
    struct Entry {
        let id: Int64
        let retention: Retention
        /// Samples before this instant were deleted once. One that comes late cannot be told from a duplicate.
        var floor: Timestamp

        /// The first instant from which on samples are taken.
        func firstTaken(now: Timestamp) -> Timestamp {
            guard let samples = retention.samples else { return floor }
            return max(floor, now - samples)
        }
    }

    private(set) var entries: [Entry] = []
    private let policy: RetentionPolicy
    private let putFloor: PreparedStatement

    init(_ policy: RetentionPolicy, _ database: Database) throws {
        self.policy = policy
        putFloor = try PreparedStatement("UPDATE retention SET floor = ? WHERE id = ?", on: database)
        try reload(database)
    }

    /// The policy that the series of a database have, as text; nil in a new one.
    static func storedPolicy(_ database: Database) throws -> String? {
        try String.fetchOne(database, sql: "SELECT policy FROM retention_policy")
    }

    /// Gives the series of a database another policy, if they have not got this one. Part of a transaction, while nobody else
    /// writes.
    static func apply(_ policy: RetentionPolicy, _ database: Database) throws {
        guard try storedPolicy(database) != policy.description else { return }
        var table = try RetentionTable(policy, database)
        try table.apply(database)
    }

    /// Reads again what is remembered, after a transaction that failed or when another process has written.
    mutating func reload(_ database: Database) throws {
        entries = try Self.read(database)
    }

    static func read(_ database: Database) throws -> [Entry] {
        let rows = try PreparedStatement(
            "SELECT id, samples, minutes, hours, floor FROM retention ORDER BY id", on: database)
        var entries: [Entry] = []
        while try rows.step() {
            let durations = (1...3).map { column -> Duration? in
                let milliseconds = rows.integer(Int32(column))
                return milliseconds == 0 ? nil : .milliseconds(milliseconds)
            }
            let retention = try Retention(samples: durations[0], minutes: durations[1], hours: durations[2])
            entries.append(
                Entry(id: rows.integer(0), retention: retention, floor: Timestamp(milliseconds: rows.integer(4))))
        }
        return entries
    }

    /// The retention of a series, by its place in `entries`.
    func index(of labels: Labels) -> Int {
        let retention = policy.retention(of: labels)
        // `apply` has made an entry for each retention of the policy.
        return entries.firstIndex { $0.retention == retention } ?? 0
    }

    /// The place in `entries` of the retention with this number.
    func index(ofID id: Int64) -> Int {
        entries.firstIndex { $0.id == id } ?? 0
    }

    /// Samples before this instant go. Part of the transaction that deletes them.
    mutating func raiseFloor(at index: Int, to instant: Timestamp) throws {
        guard instant > entries[index].floor else { return }
        putFloor.bind(instant.milliseconds, at: 1)
        putFloor.bind(entries[index].id, at: 2)
        try putFloor.run()
        entries[index].floor = instant
    }

    /// Gives every series the retention that the policy says.
    private mutating func apply(_ database: Database) throws {
        let old = entries
        let wanted = Set(policy.rules.map(\.retention) + [policy.otherwise])
        for retention in wanted.sorted(by: { $0.description < $1.description })
        where !entries.contains(where: { $0.retention == retention }) {
            try database.execute(
                sql: "INSERT INTO retention (samples, minutes, hours, floor) VALUES (?, ?, ?, ?)",
                arguments: [
                    retention.samples?.wholeMilliseconds ?? 0, retention.minutes?.wholeMilliseconds ?? 0,
                    retention.hours?.wholeMilliseconds ?? 0, Int64.min,
                ])
            entries.append(
                Entry(
                    id: database.lastInsertedRowID, retention: retention, floor: Timestamp(milliseconds: .min)))
        }
        // A series brings the floor of its old retention along.
        var floors: [Int: Timestamp] = [:]
        let put = try PreparedStatement("UPDATE series_state SET retention = ? WHERE series_id = ?", on: database)
        let series = try PreparedStatement(
            "SELECT id, labels, retention FROM series JOIN series_state ON series_id = id", on: database)
        while try series.step() {
            let new = index(of: try Labels(parsing: series.text(1)))
            let oldID = series.integer(2)
            guard entries[new].id != oldID else { continue }
            if let left = old.first(where: { $0.id == oldID }) {
                floors[new] = max(floors[new] ?? left.floor, left.floor)
            }
            put.bind(entries[new].id, at: 1)
            put.bind(series.integer(0), at: 2)
            try put.run()
        }
        for (index, floor) in floors { try raiseFloor(at: index, to: floor) }
        // Series may have come to a shorter retention, so deletion looks at everything again.
        try database.execute(sql: "DELETE FROM retention_progress")
        try database.execute(sql: "DELETE FROM retention_policy")
        try database.execute(
            sql: "INSERT INTO retention_policy (policy) VALUES (?)", arguments: [policy.description])
    }
}
