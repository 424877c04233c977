internal import GRDB

/// What has to hold before a writer trusts a database: its schema is up to date, it belongs to the writer's group, and its
/// series have the writer's retention. Used while a `SeriesWriter` is opened.
struct Readiness {
    let path: String
    let configuration: SeriesWriter.Configuration

    /// Makes it so, while nobody else writes. Gives what the file was before.
    func prepare() throws(StoreError) -> Schema.Condition {
        let condition = try inspect()
        try StoreError.naming(path) {
            let queue = try DatabaseQueue(path: path, configuration: .writing(configuration))
            defer { try? queue.close() }
            try Schema.migrate(queue)
            try queue.writeWithoutTransaction { database in
                try database.inTransaction(.immediate) {
                    // First: a database of another group is left as it is.
                    try claim(database)
                    try RetentionTable.apply(configuration.retention, database)
                    try SeriesChanges.forgetAll(database)
                    return .commit
                }
            }
        }
        return condition
    }

    /// What the file is. A change that somebody was killed in the middle of is undone first, as any program does that opens
    /// the file for writing: who makes a database has no write-ahead log yet.
    private func inspect() throws(StoreError) -> Schema.Condition {
        do {
            return try Schema.inspect(path: path, busyTimeout: configuration.busyTimeout)
        } catch .unrecovered {
            try StoreError.naming(path) {
                var plain = Configuration()
                plain.busyMode = .waiting(for: configuration.busyTimeout)
                let queue = try DatabaseQueue(path: path, configuration: plain)
                defer { try? queue.close() }
                _ = try queue.unsafeRead { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master") }
            }
            return try Schema.inspect(path: path, busyTimeout: configuration.busyTimeout)
        }
    }

    /// Whether somebody has made the schema ready; others may be writing.
    func isThere() throws(StoreError) -> Bool {
        try Schema.inspect(path: path, busyTimeout: configuration.busyTimeout) == .version(Schema.version)
    }

    /// Whether the database fits, while others may be writing. `owner` is one of them.
    func check(owner: Int32?) throws(StoreError) {
        try StoreError.naming(path) {
            let queue = try DatabaseQueue(path: path, configuration: .writing(configuration))
            defer { try? queue.close() }
            let stored = try queue.writeWithoutTransaction { database in
                try database.inTransaction(.immediate) {
                    try claim(database)
                    return .commit
                }
                return try RetentionTable.storedPolicy(database) ?? ""
            }
            guard stored == configuration.retention.description else {
                throw StoreError.otherRetention(
                    path: path, processID: owner, stored: stored, given: configuration.retention.description)
            }
        }
    }

    /// The database is the group's, or becomes it.
    private func claim(_ database: Database) throws {
        guard let group = configuration.group else { return }
        guard let stored = try String.fetchOne(database, sql: "SELECT name FROM consumer_group") else {
            try database.execute(sql: "INSERT INTO consumer_group (name) VALUES (?)", arguments: [group])
            return
        }
        guard stored == group else { throw StoreError.otherGroup(path: path, stored: stored, given: group) }
    }
}
