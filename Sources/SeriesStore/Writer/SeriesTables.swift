internal import GRDB
internal import MetricModel

/// The tables `series`, `label` and `series_label`: finds or creates the row of each series a head names.
/// Owned by the `SeriesWriter`, used on its connection only.
///
/// A series is found by a fingerprint of its canonical text and then by the text, so that the long texts need no
/// index of their own.
struct SeriesTables {
    private let find: PreparedStatement
    private let insert: PreparedStatement
    private let findLabel: PreparedStatement
    private let insertLabel: PreparedStatement
    private let insertPosting: PreparedStatement
    /// By `SeriesReference`; 0 where the reference has not been resolved.
    private var ids: [Int64] = []

    init(_ database: Database) throws {
        find = try PreparedStatement("SELECT id, labels FROM series WHERE fingerprint = ?", on: database)
        insert = try PreparedStatement(
            "INSERT INTO series (metric, labels, fingerprint) VALUES (?, ?, ?) RETURNING id", on: database)
        findLabel = try PreparedStatement("SELECT id FROM label WHERE name = ? AND value = ?", on: database)
        insertLabel = try PreparedStatement(
            "INSERT INTO label (name, value) VALUES (?, ?) RETURNING id", on: database)
        insertPosting = try PreparedStatement(
            "INSERT INTO series_label (label_id, series_id) VALUES (?, ?)", on: database)
    }

    /// The id under which the database knows a series; 0 for a reference that nobody defined.
    func id(of reference: SeriesReference) -> Int64 {
        let index = Int(reference.rawValue)
        return index < ids.count ? ids[index] : 0
    }

    /// Finds or creates the rows of a head's new series. Gives how many were created. When the transaction fails,
    /// the references have to be forgotten.
    mutating func resolve(_ series: [(reference: SeriesReference, labels: Labels)]) throws -> Int {
        var created = 0
        for (reference, labels) in series {
            let index = Int(reference.rawValue)
            if index >= ids.count { ids.append(contentsOf: repeatElement(0, count: index + 1 - ids.count)) }
            let text = labels.description
            let fingerprint = Self.fingerprint(of: text)
            if let id = try existing(text, fingerprint) {
                ids[index] = id
            } else {
                ids[index] = try create(labels, text, fingerprint)
                created += 1
            }
        }
        return created
    }

    mutating func forget(_ series: [(reference: SeriesReference, labels: Labels)]) {
        for (reference, _) in series where Int(reference.rawValue) < ids.count { ids[Int(reference.rawValue)] = 0 }
    }

    private func existing(_ text: String, _ fingerprint: Int64) throws -> Int64? {
        find.bind(fingerprint, at: 1)
        defer { find.reset() }
        while try find.step() {
            if find.text(1).utf8.elementsEqual(text.utf8) { return find.integer(0) }
        }
        return nil
    }

    private func create(_ labels: Labels, _ text: String, _ fingerprint: Int64) throws -> Int64 {
        insert.bind(labels.metricName, at: 1)
        insert.bind(text, at: 2)
        insert.bind(fingerprint, at: 3)
        let id = try Self.singleInteger(insert) ?? 0
        for label in labels {
            insertPosting.bind(try labelID(label), at: 1)
            insertPosting.bind(id, at: 2)
            try insertPosting.run()
        }
        return id
    }

    private func labelID(_ label: Label) throws -> Int64 {
        findLabel.bind(label.name, at: 1)
        findLabel.bind(label.value, at: 2)
        if let id = try Self.singleInteger(findLabel) { return id }
        insertLabel.bind(label.name, at: 1)
        insertLabel.bind(label.value, at: 2)
        return try Self.singleInteger(insertLabel) ?? 0
    }

    private static func singleInteger(_ statement: PreparedStatement) throws -> Int64? {
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
