internal import Aggregation
internal import GRDB
public import Logging
internal import MetricModel
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

        public init() {}
    }

    public let path: String
    private let state: Mutex<State?>

    /// Creates the database, or opens it and brings its schema up to date.
    public init(path: String, configuration: Configuration = Configuration(), logger: Logger) throws(StoreError) {
        self.path = path
        let lock = try WriterLock(databasePath: path)
        let condition = try Schema.inspect(path: path, busyTimeout: configuration.busyTimeout)
        do {
            state = Mutex(try State(path: path, configuration: configuration, lock: lock))
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
    public func commit(_ head: Head) throws(StoreError) -> CommitReport {
        try withState { state in try state.commit(head) }
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

    private func withState<Value: Sendable>(_ body: (inout State) throws -> Value) throws(StoreError) -> Value {
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

extension SeriesWriter {
    /// The connection, its statements and what is remembered between commits.
    private struct State {
        let lock: WriterLock
        let queue: DatabaseQueue
        var series: SeriesTables
        let samples: SampleTable
        let windows: [WindowTable]
        var progress: ProgressTables

        init(path: String, configuration: SeriesWriter.Configuration, lock: WriterLock) throws {
            self.lock = lock
            let queue = try DatabaseQueue(path: path, configuration: .writing(configuration))
            try Schema.migrate(queue)
            self.queue = queue
            (series, samples, windows, progress) = try queue.writeWithoutTransaction { database in
                (
                    try SeriesTables(database), try SampleTable(database),
                    try Resolution.allCases.map { try WindowTable($0, database) }, try ProgressTables(database)
                )
            }
        }

        mutating func commit(_ head: Head) throws -> CommitReport {
            var report = CommitReport()
            let clock = ContinuousClock()
            let start = clock.now
            do {
                try queue.writeWithoutTransaction { database in
                    try database.inTransaction(.immediate) {
                        report.newSeries = try series.resolve(head.newSeries)
                        var stored = try store(head.entries)
                        report.storedSamples = stored.count
                        report.duplicateSamples = head.entries.count - stored.count
                        report.writtenWindows = try mergeWindows(&stored)
                        try progress.store(offsets: head.offsets)
                        try progress.store(sequences: head.sequences)
                        return .commit
                    }
                }
            } catch {
                series.forget(head.newSeries)
                throw error
            }
            progress.didCommit(sequences: head.sequences)
            report.duration = clock.now - start
            return report
        }

        /// Gives the samples that were not there before.
        private func store(_ entries: ContiguousArray<Head.Entry>) throws -> ContiguousArray<Head.Entry> {
            var stored = ContiguousArray<Head.Entry>()
            stored.reserveCapacity(entries.count)
            for entry in entries {
                let id = series.id(of: entry.series)
                precondition(id != 0, "a sample of series reference \(entry.series.rawValue), which no head defined")
                if try samples.store(id, entry.timestamp, entry.value) { stored.append(entry) }
            }
            return stored
        }

        /// Gives how many rows were written.
        private func mergeWindows(_ entries: inout ContiguousArray<Head.Entry>) throws -> Int {
            entries.sort { ($0.series.rawValue, $0.timestamp) < ($1.series.rawValue, $1.timestamp) }
            var written = 0
            for table in windows {
                var parts = WindowParts(table.resolution)
                for entry in entries where !entry.value.isStalenessMarker {
                    parts.add(
                        Sample(timestamp: entry.timestamp, value: entry.value), of: series.id(of: entry.series))
                }
                let finished = parts.finish()
                try table.merge(finished)
                written += finished.count
            }
            return written
        }
    }
}
