internal import Aggregation
internal import GRDB
internal import MetricModel

/// The table `outbox`: what is to be emitted, until the cluster has it. Owned by the `RuleEngine`, used on the writer's
/// connection only.
struct OutboxTable {
    private let insert: PreparedStatement
    private let select: PreparedStatement
    private let delete: PreparedStatement
    /// Of the next record, by topic. Part of what is taken back when a transaction fails.
    var sequences: [String: Int64] = [:]
    /// How many rows there are.
    var count = 0
    /// Of the records of this process; 0 until it leads.
    private(set) var epoch: Int64 = 0

    init(_ database: Database) throws {
        insert = try PreparedStatement(
            """
            INSERT INTO outbox (topic, epoch, sequence, rule, window_start, window_end, revision, key, value)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, on: database)
        select = try PreparedStatement(
            """
            SELECT topic, epoch, sequence, rule, window_start, window_end, revision, key, value FROM outbox
            ORDER BY topic, epoch, sequence LIMIT ?
            """, on: database)
        delete = try PreparedStatement(
            "DELETE FROM outbox WHERE topic = ? AND epoch = ? AND sequence = ?", on: database)
        try reload(database)
    }

    /// Counts again.
    mutating func reload(_ database: Database) throws {
        count = try Int.fetchOne(database, sql: "SELECT count(*) FROM outbox") ?? 0
    }

    /// Takes an epoch that no process had before, in this database or one that is a later copy of it. Part of a transaction
    /// of a process that begins to lead.
    mutating func begin(now: Timestamp, _ database: Database) throws {
        epoch =
            try Int64.fetchOne(
                database, sql: "UPDATE identity SET epoch = max(epoch + 1, ?) RETURNING epoch",
                arguments: [now.milliseconds]) ?? now.milliseconds
        sequences = [:]
    }

    static func identity(_ database: Database) throws -> String {
        try String.fetchOne(database, sql: "SELECT id FROM identity") ?? ""
    }

    mutating func append(_ record: RuleRecord, of rule: AggregationRule, _ window: Window, revision: Int) throws {
        let topic = "metrics.rollup.\(rule.windows.interval.shortText)"
        let sequence = sequences[topic, default: 0]
        insert.bind(topic, at: 1)
        insert.bind(epoch, at: 2)
        insert.bind(sequence, at: 3)
        insert.bind(rule.name, at: 4)
        insert.bind(window.start.milliseconds, at: 5)
        insert.bind(window.end.milliseconds, at: 6)
        insert.bind(Int64(revision), at: 7)
        insert.bind(record.key, at: 8)
        insert.bind(record.value, at: 9)
        try insert.run()
        sequences[topic] = sequence + 1
        count += 1
    }

    /// The first records, in the order of topic, epoch and sequence.
    func records(limit: Int) throws -> [Emission] {
        select.bind(Int64(limit), at: 1)
        var records: [Emission] = []
        while try select.step() {
            records.append(
                Emission(
                    id: Emission.ID(topic: select.text(0), epoch: select.integer(1), sequence: select.integer(2)),
                    rule: select.text(3), windowStart: Timestamp(milliseconds: select.integer(4)),
                    windowEnd: Timestamp(milliseconds: select.integer(5)), revision: Int(select.integer(6)),
                    key: select.text(7), value: select.text(8)))
        }
        return records
    }

    mutating func remove(_ ids: [Emission.ID]) throws {
        for id in ids {
            delete.bind(id.topic, at: 1)
            delete.bind(id.epoch, at: 2)
            delete.bind(id.sequence, at: 3)
            try delete.run()
            count -= delete.changedRows
        }
    }
}
