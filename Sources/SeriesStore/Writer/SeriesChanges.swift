internal import GRDB
internal import MetricModel

/// The tables `series_change` and `removed_series`: the ids of series that come, and what other writers have to know about
/// series that went. Owned by the `SeriesWriter`, used on its connection only.
struct SeriesChanges {
    /// Writers that have been silent for longer than this do not learn any more which series went.
    private static let memory = Duration.seconds(3600)
    private static let forgottenPerStep = 1000

    /// How far this process knows of the series of the database.
    struct Mark: Equatable {
        /// Series with smaller ids are known, and the next one gets this id.
        var nextID: Int64 = 1
        /// The number of the last removal that is known.
        var removal: Int64 = 0
    }

    /// Put back by the owner when a transaction fails.
    var mark = Mark()
    private let find: PreparedStatement
    private let putNextID: PreparedStatement
    private let created: PreparedStatement
    private let removed: PreparedStatement
    private let insertRemoved: PreparedStatement
    private let oldest: PreparedStatement
    private let deleteRemoved: PreparedStatement
    private let putForgotten: PreparedStatement

    init(_ database: Database) throws {
        find = try PreparedStatement(
            """
            SELECT next_id, forgotten, (SELECT coalesce(max(number), 0) FROM removed_series) FROM series_change
            """, on: database)
        putNextID = try PreparedStatement("UPDATE series_change SET next_id = ?", on: database)
        created = try PreparedStatement("SELECT labels FROM series WHERE id >= ?", on: database)
        removed = try PreparedStatement(
            "SELECT series_id, labels FROM removed_series WHERE number > ? ORDER BY number", on: database)
        insertRemoved = try PreparedStatement(
            "INSERT INTO removed_series (series_id, labels, removed_at) VALUES (?, ?, ?) RETURNING number",
            on: database)
        oldest = try PreparedStatement("SELECT number, removed_at FROM removed_series ORDER BY number", on: database)
        deleteRemoved = try PreparedStatement("DELETE FROM removed_series WHERE number <= ?", on: database)
        putForgotten = try PreparedStatement("UPDATE series_change SET forgotten = ?", on: database)
    }

    /// Nobody else writes to the database, so nobody has to know.
    static func forgetAll(_ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE series_change SET forgotten = max(forgotten, (SELECT coalesce(max(number), 0) FROM removed_series));
                DELETE FROM removed_series;
                """)
    }

    // MARK: What others did

    /// How far the database has come; nil when it no longer tells everything that happened since `mark`.
    func latest() throws -> Mark? {
        guard try find.step() else { return mark }
        defer { find.reset() }
        let forgotten = find.integer(1)
        guard forgotten <= mark.removal else { return nil }
        return Mark(nextID: find.integer(0), removal: max(forgotten, find.integer(2)))
    }

    /// How far the database has come, whatever it has forgotten.
    func latestWhatever() throws -> Mark {
        guard try find.step() else { return mark }
        defer { find.reset() }
        return Mark(nextID: find.integer(0), removal: max(find.integer(1), find.integer(2)))
    }

    /// Calls `body` with each series that was removed since `mark`, and its id.
    func forEachRemoved(_ body: (Int64, Labels) throws -> Void) throws {
        removed.bind(mark.removal, at: 1)
        while try removed.step() { try body(removed.integer(0), Labels(parsing: removed.text(1))) }
    }

    /// Calls `body` with each series that was created since `mark` and is still there.
    func forEachCreated(_ body: (Labels) throws -> Void) throws {
        created.bind(mark.nextID, at: 1)
        while try created.step() { try body(Labels(parsing: created.text(0))) }
    }

    // MARK: What this process does

    /// The id of a new series. Part of a transaction, as everything below.
    mutating func takeID() -> Int64 {
        defer { mark.nextID += 1 }
        return mark.nextID
    }

    func storeNextID() throws {
        putNextID.bind(mark.nextID, at: 1)
        try putNextID.run()
    }

    mutating func noteRemoval(of id: Int64, _ labels: Labels, now: Timestamp) throws {
        insertRemoved.bind(id, at: 1)
        insertRemoved.bind(labels.description, at: 2)
        insertRemoved.bind(now.milliseconds, at: 3)
        mark.removal = try SeriesTables.singleInteger(insertRemoved) ?? mark.removal
    }

    /// Forgets some of the removals of long ago. Gives whether there is more to forget now.
    func forgetSome(now: Timestamp) throws -> Bool {
        var (count, upTo) = (0, Int64(0))
        while count < Self.forgottenPerStep, try oldest.step(),
            Timestamp(milliseconds: oldest.integer(1)) < now - Self.memory
        {
            upTo = oldest.integer(0)
            count += 1
        }
        oldest.reset()
        guard count > 0 else { return false }
        deleteRemoved.bind(upTo, at: 1)
        try deleteRemoved.run()
        putForgotten.bind(upTo, at: 1)
        try putForgotten.run()
        return count == Self.forgottenPerStep
    }
}
