public import Aggregation
internal import GRDB
public import Logging
public import MetricModel
internal import Synchronization

/// Writes to a database. A commit stores a whole head (samples, their windows, offsets, agent sequences) in one
/// transaction.
///
/// Its methods block on the disk: call them from a thread that may block, not from a task. They may be called from
/// any thread; a lock puts them in turn. The processes of one consumer group may have a writer each for one database: each
/// transaction begins with a look at what the others did, and a head that comes too late is refused
/// (`StoreError.superseded`). One of them, the leader, seals and deletes.
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
        /// Windows are not closed before another process has come as far in event time, unless nothing was heard of it for
        /// this long. What it reads is given to others by then, if the group's session timeout is shorter.
        public var memberPatience: Duration = .seconds(60)
        /// The consumer group that the database belongs to. One without takes this; one of another group is refused. Nil is
        /// for tools, which take what there is.
        public var group: String?
        /// How long to wait for another process that has the database for itself, as one has while it makes it ready.
        public var openingPatience: Duration = .seconds(3)

        public init() {}
    }

    public let path: String
    private let state: Mutex<WriterState?>

    /// Creates the database (and its directory, if only that is missing), or opens it and brings its schema up to
    /// date.
    public init(path: String, configuration: Configuration = Configuration(), logger: Logger) throws(StoreError) {
        self.path = path
        DatabaseFiles.makeDirectory(ofPath: path)
        var condition = Schema.Condition.version(Schema.version)
        do {
            let readiness = Readiness(path: path, configuration: configuration)
            let lock = try WriterLock(databasePath: path, patience: configuration.openingPatience) {
                () throws(StoreError) in
                condition = try readiness.prepare()
            } isReady: { () throws(StoreError) in
                try readiness.isThere()
            }
            try readiness.check(owner: lock.owner)
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

    /// Packs some of the old samples, which takes a few milliseconds, if this process leads. Gives whether there is more to
    /// do; call it again then, between two commits.
    public func seal(now: Timestamp = .now()) throws(StoreError) -> Bool {
        try withState { state in try state.seal(now: now) }
    }

    /// Deletes some of what is older than its retention and gives space back to the disk, which takes a few
    /// milliseconds, if this process leads. Gives whether there is more to do; call it again then, between two commits.
    public func expire(now: Timestamp = .now()) throws(StoreError) -> Bool {
        try withState { state in try state.expire(now: now) }
    }

    /// Offsets and sequences as they are in the database, of one committed state.
    public func progress() throws(StoreError) -> StoredProgress {
        try withState { state in try state.queue.inSnapshot(ProgressTables.read) }
    }

    /// Whether this process is the one that looks after the database, among those that write to it: seals, deletes, and
    /// does what else has to be done by one of them. Tries to become it, at most once a second; a process that leads does so
    /// until it ends.
    public func leads() throws(StoreError) -> Bool {
        try withState { state in state.leads() }
    }

    /// Whether another process has written to the database in the last seconds.
    public var isShared: Bool {
        state.withLock { state in
            guard let last = state?.lastForeignWrite else { return false }
            return .now - last < .seconds(10)
        }
    }

    /// The size of the database and its write-ahead log on disk.
    public var byteCount: Int64 { DatabaseFiles.byteCount(path: path) }

    /// Moves the write-ahead log into the database and closes it. Anything called afterwards throws
    /// `StoreError.closed`; closing again does nothing.
    public func close() throws(StoreError) {
        let result = state.withLock { state -> Result<Void, StoreError> in
            guard let queue = state?.queue else { return .success(()) }
            // Where this fails, others stop waiting for it after `memberPatience`.
            try? state?.transaction { state in try state.rules.leave() }
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
