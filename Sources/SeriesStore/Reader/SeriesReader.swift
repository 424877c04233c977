internal import GRDB
internal import GRDBSQLite

/// Reads a database, beside its writer, in the same process or another one. Each call sees one committed state.
///
/// Its methods block on the disk: call them from a thread that may block. They may be called from any threads at
/// once; each runs on a connection of its own, up to a handful.
public final class SeriesReader: Sendable {
    public let path: String
    private let pool: DatabasePool
    private let busyTimeout: Duration

    /// Opens an existing database. `busyTimeout` is for the moments when SQLite recovers or removes its log, and for the time
    /// until another process has undone what one left that was killed (`StoreError.unrecovered`).
    public init(path: String, busyTimeout: Duration = .seconds(10)) throws(StoreError) {
        self.path = path
        self.busyTimeout = busyTimeout
        pool = try Self.patiently(busyTimeout) { () throws(StoreError) in
            guard case .version(let version) = try Schema.inspect(path: path, busyTimeout: busyTimeout) else {
                throw .missing(path: path)
            }
            guard version == Schema.version else {
                throw .olderSchema(path: path, version: version, needed: Schema.version)
            }
            return try StoreError.naming(path) {
                try DatabasePool(path: path, configuration: .reading(busyTimeout: busyTimeout))
            }
        }
    }

    /// Ends all connections; nothing may be called afterwards.
    public func close() throws(StoreError) {
        try StoreError.naming(path) { try pool.close() }
    }

    /// How many series there are.
    public func seriesCount() throws(StoreError) -> Int {
        try read { database in try Int.fetchOne(database, sql: "SELECT count(*) FROM series") ?? 0 }
    }

    /// The size of the database and its write-ahead log on disk.
    public var byteCount: Int64 { DatabaseFiles.byteCount(path: path) }

    /// Where reading the topics goes on, and which records of which agents are stored.
    public func progress() throws(StoreError) -> StoredProgress {
        try read(ProgressTables.read)
    }

    /// What limits have refused since the database was made, the most samples first.
    public func overflow() throws(StoreError) -> [SeriesOverflow] {
        try read(OverflowTable.read)
    }

    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        try Self.patiently(busyTimeout) { () throws(StoreError) in
            try StoreError.naming(path) { try pool.read(body) }
        }
    }

    /// Tries again while a change is there to be undone, which only a process that writes can do: for as long as it waits for
    /// locks.
    private static func patiently<Value>(
        _ patience: Duration, _ body: () throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try body()
            } catch {
                guard case .unrecovered = error, .now < deadline else { throw error }
                sqlite3_sleep(10)
            }
        }
    }
}
