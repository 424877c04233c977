internal import Aggregation
internal import GRDB
internal import MetricModel

/// The tables `rule`, `rule_window`, `rule_note` and `member_event_time`. Owned by the `RuleEngine`, used on the writer's
/// connection only.
struct RuleTables {
    /// Stands for a time that is not known yet.
    private static let unknown = Int64.min

    private let putProgress: PreparedStatement
    private let putWindow: PreparedStatement
    private let deleteWindows: PreparedStatement
    private let insertNote: PreparedStatement
    private let notes: PreparedStatement
    private let deleteNotes: PreparedStatement
    private let putEventTime: PreparedStatement
    private let eventTimes: PreparedStatement
    private let deleteEventTimes: PreparedStatement
    private let deleteEventTime: PreparedStatement

    init(_ database: Database) throws {
        putProgress = try PreparedStatement("UPDATE rule SET watermark = ?, horizon = ? WHERE id = ?", on: database)
        putWindow = try PreparedStatement(
            """
            INSERT OR REPLACE INTO rule_window (rule_id, start, revision, digest, closed, dirty, partial)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """, on: database)
        deleteWindows = try PreparedStatement(
            "DELETE FROM rule_window WHERE rule_id = ? AND start < ?", on: database)
        insertNote = try PreparedStatement(
            "INSERT OR IGNORE INTO rule_note (rule_id, time) VALUES (?, ?)", on: database)
        notes = try PreparedStatement("SELECT rule_id, time FROM rule_note", on: database)
        deleteNotes = try PreparedStatement("DELETE FROM rule_note", on: database)
        putEventTime = try PreparedStatement(
            "INSERT OR REPLACE INTO member_event_time (member, event_time, written_at) VALUES (?, ?, ?)",
            on: database)
        eventTimes = try PreparedStatement(
            "SELECT min(event_time) FROM member_event_time WHERE written_at >= ? AND member <> ?", on: database)
        deleteEventTime = try PreparedStatement("DELETE FROM member_event_time WHERE member = ?", on: database)
        deleteEventTimes = try PreparedStatement("DELETE FROM member_event_time WHERE written_at < ?", on: database)
    }

    // MARK: Rules

    /// Gives each rule its number. Rules that are not among them, or say something else under their name, lose their
    /// ledgers: samples that are stored meanwhile would be missing from these. Part of a transaction of the leader.
    static func install(_ rules: [AggregationRule], _ database: Database) throws -> [Int64] {
        for row in try Row.fetchAll(database, sql: "SELECT id, name, definition FROM rule") {
            let (id, name, definition): (Int64, String, String) = (row[0], row[1], row[2])
            if rules.contains(where: { $0.name == name && $0.definition == definition }) { continue }
            for table in ["rule_window", "rule_note"] {
                try database.execute(sql: "DELETE FROM \(table) WHERE rule_id = ?", arguments: [id])
            }
            try database.execute(sql: "DELETE FROM rule WHERE id = ?", arguments: [id])
        }
        for rule in rules {
            try database.execute(
                sql: """
                    INSERT INTO rule (name, definition, watermark, horizon) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
                    """, arguments: [rule.name, rule.definition, unknown, Int64.min])
        }
        return try numbers(of: rules, database) ?? []
    }

    /// The rules' numbers; nil when they are not those that are installed.
    static func numbers(of rules: [AggregationRule], _ database: Database) throws -> [Int64]? {
        let rows = try Row.fetchAll(database, sql: "SELECT id, name, definition FROM rule")
        let ids = rules.compactMap { rule in
            rows.first { $0[1] == rule.name && $0[2] == rule.definition }.map { row -> Int64 in row[0] }
        }
        return ids.count == rules.count && rows.count == rules.count ? ids : nil
    }

    /// A rule's ledger as it is stored.
    static func ledger(of rule: AggregationRule, _ id: Int64, _ database: Database) throws -> WindowLedger {
        var windows: [LedgerWindow] = []
        let rows = try PreparedStatement(
            "SELECT start, revision, digest, closed, dirty, partial FROM rule_window WHERE rule_id = ? ORDER BY start",
            on: database)
        rows.bind(id, at: 1)
        while try rows.step() {
            windows.append(
                LedgerWindow(
                    start: Timestamp(milliseconds: rows.integer(0)), revision: Int(rows.integer(1)),
                    digest: UInt64(bitPattern: rows.integer(2)), isClosed: rows.integer(3) != 0,
                    isDirty: rows.integer(4) != 0, isPartial: rows.integer(5) != 0))
        }
        let progress = try PreparedStatement("SELECT watermark, horizon FROM rule WHERE id = ?", on: database)
        progress.bind(id, at: 1)
        let (watermark, horizon) = try progress.step() ? (progress.integer(0), progress.integer(1)) : (unknown, .min)
        progress.reset()
        return WindowLedger(
            specification: rule.windows, lateness: rule.lateness, reach: rule.reach, windows: windows,
            watermark: watermark == unknown ? nil : Timestamp(milliseconds: watermark),
            horizon: Timestamp(milliseconds: horizon))
    }

    func store(_ changes: WindowLedger.Changes, of rule: Int64) throws {
        for window in changes.windows { try store(window, of: rule) }
        guard changes.hasProgress else { return }
        putProgress.bind(changes.watermark?.milliseconds ?? Self.unknown, at: 1)
        putProgress.bind(changes.horizon.milliseconds, at: 2)
        putProgress.bind(rule, at: 3)
        try putProgress.run()
        guard changes.horizon.milliseconds > .min else { return }
        deleteWindows.bind(rule, at: 1)
        deleteWindows.bind(changes.horizon.milliseconds, at: 2)
        try deleteWindows.run()
    }

    func store(_ window: LedgerWindow, of rule: Int64) throws {
        putWindow.bind(rule, at: 1)
        putWindow.bind(window.start.milliseconds, at: 2)
        putWindow.bind(Int64(window.revision), at: 3)
        putWindow.bind(Int64(bitPattern: window.digest), at: 4)
        putWindow.bind(Int64(window.isClosed ? 1 : 0), at: 5)
        putWindow.bind(Int64(window.isDirty ? 1 : 0), at: 6)
        putWindow.bind(Int64(window.isPartial ? 1 : 0), at: 7)
        try putWindow.run()
    }

    // MARK: What other processes leave

    /// A process that does not lead has stored a sample of a rule.
    func note(_ time: Timestamp, of rule: Int64) throws {
        insertNote.bind(rule, at: 1)
        insertNote.bind(time.milliseconds, at: 2)
        try insertNote.run()
    }

    /// Calls `body` with all notes and removes them.
    func takeNotes(_ body: (Int64, Timestamp) -> Void) throws {
        var isEmpty = true
        while try notes.step() {
            isEmpty = false
            body(notes.integer(0), Timestamp(milliseconds: notes.integer(1)))
        }
        if !isEmpty { try deleteNotes.run() }
    }

    func store(eventTime: Timestamp, of member: String, now: Timestamp) throws {
        putEventTime.bind(member, at: 1)
        putEventTime.bind(eventTime.milliseconds, at: 2)
        putEventTime.bind(now.milliseconds, at: 3)
        try putEventTime.run()
    }

    /// The smallest of the other processes' event times that were written since an instant; nil when there is none.
    func eventTime(ofOthersThan member: String, since instant: Timestamp) throws -> Timestamp? {
        eventTimes.bind(instant.milliseconds, at: 1)
        eventTimes.bind(member, at: 2)
        defer { eventTimes.reset() }
        guard try eventTimes.step(), !eventTimes.isNull(0) else { return nil }
        return Timestamp(milliseconds: eventTimes.integer(0))
    }

    /// A process does not say any more how far it has come.
    func forgetEventTime(of member: String) throws {
        deleteEventTime.bind(member, at: 1)
        try deleteEventTime.run()
    }

    /// Forgets processes that have not been heard of since an instant.
    func forgetEventTimes(before instant: Timestamp) throws {
        deleteEventTimes.bind(instant.milliseconds, at: 1)
        try deleteEventTimes.run()
    }
}
