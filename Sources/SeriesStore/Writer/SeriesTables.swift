internal import GRDB
internal import MetricModel

/// The tables `series`, `label`, `series_label` and `series_state`: finds, creates and removes the rows of a series.
/// Owned by the `SeriesWriter`, used on its connection only.
///
/// A series is found by a fingerprint of its canonical text and then by the text, so that the long texts need no
/// index of their own.
struct SeriesTables {
    /// What a series' rows say.
    struct Row {
        let id: Int64
        /// The number of its retention.
        let retention: Int64
        /// The start of the latest hour in which it has samples.
        let lastHour: Timestamp
    }

    private let find: PreparedStatement
    private let insert: PreparedStatement
    private let insertState: PreparedStatement
    private let putLastHour: PreparedStatement
    private let findLabel: PreparedStatement
    private let insertLabel: PreparedStatement
    private let insertPosting: PreparedStatement
    private let removal: SeriesRemoval

    init(_ database: Database) throws {
        find = try PreparedStatement(
            """
            SELECT id, labels, retention, last_hour FROM series JOIN series_state ON series_id = id
            WHERE fingerprint = ?
            """, on: database)
        insert = try PreparedStatement(
            "INSERT INTO series (id, metric, labels, fingerprint) VALUES (?, ?, ?, ?)", on: database)
        insertState = try PreparedStatement(
            "INSERT INTO series_state (series_id, retention, last_hour) VALUES (?, ?, ?)", on: database)
        putLastHour = try PreparedStatement(
            "UPDATE series_state SET last_hour = ?1 WHERE series_id = ?2 AND last_hour < ?1", on: database)
        findLabel = try PreparedStatement("SELECT id FROM label WHERE name = ? AND value = ?", on: database)
        insertLabel = try PreparedStatement(
            "INSERT INTO label (name, value) VALUES (?, ?) RETURNING id", on: database)
        insertPosting = try PreparedStatement(
            "INSERT INTO series_label (label_id, series_id) VALUES (?, ?)", on: database)
        removal = try SeriesRemoval(database)
    }

    /// The rows of the series with these labels; nil when there are none.
    func row(of labels: Labels) throws -> Row? {
        let text = labels.description
        find.bind(Self.fingerprint(of: text), at: 1)
        defer { find.reset() }
        while try find.step() {
            if find.text(1).utf8.elementsEqual(text.utf8) {
                return Row(
                    id: find.integer(0), retention: find.integer(2),
                    lastHour: Timestamp(milliseconds: find.integer(3)))
            }
        }
        return nil
    }

    /// Makes the rows of a series that has none.
    func create(_ id: Int64, _ labels: Labels, retention: Int64, lastHour: Timestamp) throws {
        let text = labels.description
        insert.bind(id, at: 1)
        insert.bind(labels.metricName, at: 2)
        insert.bind(text, at: 3)
        insert.bind(Self.fingerprint(of: text), at: 4)
        try insert.run()
        for label in labels {
            insertPosting.bind(try labelID(label), at: 1)
            insertPosting.bind(id, at: 2)
            try insertPosting.run()
        }
        insertState.bind(id, at: 1)
        insertState.bind(retention, at: 2)
        insertState.bind(lastHour.milliseconds, at: 3)
        try insertState.run()
    }

    /// Another process may have stored a later hour, which stays.
    func set(lastHour: Timestamp, of id: Int64) throws {
        putLastHour.bind(lastHour.milliseconds, at: 1)
        putLastHour.bind(id, at: 2)
        try putLastHour.run()
    }

    /// Removes the rows of a series, which has no samples and no windows any more. Gives its labels.
    func remove(_ id: Int64) throws -> Labels {
        try removal.remove(id)
    }

    private func labelID(_ label: Label) throws -> Int64 {
        findLabel.bind(label.name, at: 1)
        findLabel.bind(label.value, at: 2)
        if let id = try Self.singleInteger(findLabel) { return id }
        insertLabel.bind(label.name, at: 1)
        insertLabel.bind(label.value, at: 2)
        return try Self.singleInteger(insertLabel) ?? 0
    }

    static func singleInteger(_ statement: PreparedStatement) throws -> Int64? {
        guard try statement.step() else { return nil }
        let value = statement.integer(0)
        // To the end: a statement with RETURNING has done its work only then.
        while try statement.step() {}
        return value
    }

    /// FNV-1a, 64 bits, over the canonical text. It is stored, so it never changes.
    static func fingerprint(of text: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return Int64(bitPattern: hash)
    }
}
