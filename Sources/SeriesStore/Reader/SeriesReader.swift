internal import GRDB

/// Reads a database, beside its writer, in the same process or another one. Each call sees one committed state.
///
/// Its methods block on the disk: call them from a thread that may block. They may be called from any threads at
/// once; each runs on a connection of its own, up to a handful.
public final class SeriesReader: Sendable {
    public let path: String
    private let pool: DatabasePool

    /// Opens an existing database. `busyTimeout` is for the moments when SQLite recovers or removes its log.
    public init(path: String, busyTimeout: Duration = .seconds(10)) throws(StoreError) {
        self.path = path
        guard case .version(let version) = try Schema.inspect(path: path, busyTimeout: busyTimeout) else {
            throw .missing(path: path)
        }
        guard version == Schema.version else {
            throw .olderSchema(path: path, version: version, needed: Schema.version)
        }
        pool = try StoreError.naming(path) {
            try DatabasePool(path: path, configuration: .reading(busyTimeout: busyTimeout))
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
        try StoreError.naming(path) { try pool.read(body) }
    }
}
