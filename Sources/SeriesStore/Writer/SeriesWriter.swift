public import Aggregation
internal import GRDB
public import Logging
public import MetricModel
internal import Synchronization

/// The one writer of a database. A commit stores a whole head (samples, their windows, offsets, agent sequences) in
/// one transaction.
///
/// Its methods block on the disk: call them from a thread that may block, not from a task. They may be called from
/// any thread; a lock puts them in turn. A second writer, in this process or another, is refused.
public final class SeriesWriter: Sendable {
    /// What may be set about a writer.
    public struct Configuration: Sendable {
        /// How long to wait for another program that holds the database, before `StoreError.busy`.
        public var busyTimeout: Duration = .seconds(10)
        /// Pages SQLite keeps in memory for this connection.
        public var cacheBytes: Int = 8 << 20
        /// The database does not grow beyond this (its write-ahead log not counted); a commit that would throws
        /// `StoreError.full`.
        public var maximumBytes: Int64?
        /// Samples this much older than the newest are packed into chunks by `seal`.
        public var sealAge: Duration = .seconds(300)
        /// How long samples and windows are kept.
        public var retention = RetentionPolicy.forever
        /// How many series are taken.
        public var limits = SeriesLimits()
        /// What is aggregated besides the windows of all series. See `dueWindows(limit:)`.
        public var rules: [AggregationRule] = []

        public init() {}
    }

    public let path: String
    private let state: Mutex<WriterState?>

    /// Creates the database (and its directory, if only that is missing), or opens it and brings its schema up to
    /// date.
    public init(path: String, configuration: Configuration = Configuration(), logger: Logger) throws(StoreError) {
        self.path = path
        DatabaseFiles.makeDirectory(ofPath: path)
        let lock = try WriterLock(databasePath: path)
        let condition = try Schema.inspect(path: path, busyTimeout: configuration.busyTimeout)
        do {
            state = Mutex(try WriterState(path: path, configuration: configuration, lock: lock))
        } catch {
            throw StoreError(error, path: path)
        }
        switch condition {
        case .empty: logger.info("created the database", metadata: ["path": "\(path)"])
        case .version(let version) where version < Schema.version:
            logger.info(
                "brought the database up to date",
                metadata: ["path": "\(path)", "from version": "\(version)", "to version": "\(Schema.version)"])
        case .version: break
        }
    }

    /// Stores a head, all of it or (when this throws) nothing. The same head may be tried again.
    ///
    /// - Parameter eventTime: how far event time has come with this head; windows of rules close by it.
    public func commit(
        _ head: Head, eventTime: Timestamp? = nil, now: Timestamp = .now()
    ) throws(StoreError) -> CommitReport {
        try withState { state in try state.commit(head, eventTime: eventTime, now: now) }
    }

    /// Packs some of the old samples, which takes a few milliseconds. Gives whether there is more to do; call it
    /// again then, between two commits.
    public func seal(now: Timestamp = .now()) throws(StoreError) -> Bool {
        try withState { state in try state.seal(now: now) }
    }

    /// Deletes some of what is older than its retention and gives space back to the disk, which takes a few
    /// milliseconds. Gives whether there is more to do; call it again then, between two commits.
    public func expire(now: Timestamp = .now()) throws(StoreError) -> Bool {
        try withState { state in try state.expire(now: now) }
    }

    /// Offsets and sequences as they are in the database.
    public func progress() throws(StoreError) -> StoredProgress {
        try withState { state in try state.queue.unsafeRead(ProgressTables.read) }
    }

    /// The size of the database and its write-ahead log on disk.
    public var byteCount: Int64 { DatabaseFiles.byteCount(path: path) }

    /// Moves the write-ahead log into the database and closes it. Anything called afterwards throws
    /// `StoreError.closed`; closing again does nothing.
    public func close() throws(StoreError) {
        let result = state.withLock { state -> Result<Void, StoreError> in
            guard let queue = state?.queue else { return .success(()) }
            // The prepared statements go first, for SQLite closes no connection that has any. The lock goes with
            // them; another writer may open while the rest is a matter between SQLite's connections.
            state = nil
            do throws(StoreError) {
                try StoreError.naming(path) { try queue.close() }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    func withState<Value: Sendable>(_ body: (inout WriterState) throws -> Value) throws(StoreError) -> Value {
        let result = state.withLock { state -> Result<Value, StoreError> in
            guard state != nil else { return .failure(.closed(path: path)) }
            do {
                // The optional is unwrapped in place: a copy would copy the caches.
                return .success(try body(&state!))
            } catch {
                return .failure(StoreError(error, path: path))
            }
        }
        return try result.get()
    }
}
