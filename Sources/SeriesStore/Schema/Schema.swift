internal import GRDB
internal import Glibc

/// The database's tables, their version, and the checks before a file is trusted.
///
/// `PRAGMA application_id` says that a database is weir's, `PRAGMA user_version` which steps it has had. Steps
/// are only ever added (`Schema+Steps.swift`); a database that has had more steps than this program knows is left
/// alone.
enum Schema {
    /// "Weir" in ASCII, big-endian.
    static let applicationID: Int64 = 0x5765_6972

    /// The version this program writes: the number of its steps.
    static var version: Int { steps.count }

    /// One change of the tables. Steps run in order, each in a transaction of its own.
    struct Step {
        let name: String
        let sql: String
    }

    /// Brings a database up to date, or (for tests) to an earlier version. The file has passed `inspect`.
    static func migrate(_ writer: some DatabaseWriter, upTo version: Int = Schema.version) throws {
        var migrator = DatabaseMigrator().disablingDeferredForeignKeyChecks()
        for (index, step) in steps.prefix(version).enumerated() {
            migrator.registerMigration(step.name) { database in
                try database.execute(sql: step.sql)
                try database.execute(sql: "PRAGMA application_id = \(applicationID)")
                try database.execute(sql: "PRAGMA user_version = \(index + 1)")
            }
        }
        try migrator.migrate(writer)
    }

    /// What a file is before anything is written to it.
    enum Condition: Equatable {
        /// No file, or one without a byte, or a database without a table.
        case empty
        case version(Int)
    }

    /// Looks at a file without changing it. Throws when it is no database of ours or newer than this program.
    static func inspect(path: String, busyTimeout: Duration) throws(StoreError) -> Condition {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return .empty }
            throw .cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .cannotOpen(path: path, reason: "it is no file") }
        if status.st_size == 0 { return .empty }
        return try StoreError.naming(path) {
            let queue = try DatabaseQueue(path: path, configuration: .reading(busyTimeout: busyTimeout))
            defer { try? queue.close() }
            return try queue.unsafeRead { database in try condition(of: database, path: path) }
        }
    }

    static func condition(of database: Database, path: String) throws -> Condition {
        let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard application == applicationID else {
            // A process killed while it created the database leaves GRDB's own tables and nothing else.
            let tables =
                try Int.fetchOne(
                    database, sql: "SELECT count(*) FROM sqlite_master WHERE tbl_name NOT LIKE 'grdb\\_%' ESCAPE '\\'")
                ?? 0
            if application == 0, tables == 0 { return .empty }
            throw StoreError.foreign(path: path)
        }
        guard version <= Self.version else {
            throw StoreError.newerSchema(path: path, version: version, supported: Self.version)
        }
        return .version(version)
    }
}
