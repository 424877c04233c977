internal import Aggregation
internal import GRDB
internal import Glibc
public import MetricModel

/// What is in a database, in numbers.
public struct DatabaseStatistics: Sendable {
    /// A name and how many there are of it.
    public struct Count: Hashable, Sendable {
        public let name: String
        public let count: Int
    }

    /// A retention and the series that have it.
    public struct RetentionUse: Hashable, Sendable {
        public let retention: Retention
        public let series: Int
    }

    public var schemaVersion = 0
    /// The database file, in bytes.
    public var fileBytes: Int64 = 0
    /// Its write-ahead log, in bytes.
    public var writeAheadLogBytes: Int64 = 0
    /// Pages of the file that hold nothing, in bytes.
    public var freeBytes: Int64 = 0
    public var series = 0
    /// Samples at base resolution, of which `sealedSamples` are packed in chunks.
    public var samples: Int64 = 0
    public var sealedSamples: Int64 = 0
    /// What chunks take, their rows and pages included; nil where SQLite cannot say (it was built without `dbstat`).
    public var chunkTableBytes: Int64?
    /// What samples take that are not packed yet.
    public var sampleTableBytes: Int64?
    /// The bytes of each table and index, the largest first.
    public var tableBytes: [Count] = []
    public var minuteWindows = 0
    public var hourWindows = 0
    public var oldestSample: Timestamp?
    public var newestSample: Timestamp?
    /// Metrics by number of series, the largest first.
    public var metrics: [Count] = []
    /// Label names by number of values, the largest first.
    public var labels: [Count] = []
    public var retentions: [RetentionUse] = []
    /// What limits have refused.
    public var overflow: [SeriesOverflow] = []

    /// What a packed sample takes on disk.
    public var bytesPerSealedSample: Double? {
        guard let chunkTableBytes, sealedSamples > 0 else { return nil }
        return Double(chunkTableBytes) / Double(sealedSamples)
    }
}

extension SeriesReader {
    /// Counts what is in the database. Walks over whole tables, which takes seconds when they are large.
    ///
    /// - Parameter top: how many metrics and labels to name.
    public func statistics(top: Int = 10) throws(StoreError) -> DatabaseStatistics {
        var statistics = try read { database in try Self.statistics(of: database, top: top) }
        statistics.fileBytes = DatabaseFiles.byteCount(of: path)
        statistics.writeAheadLogBytes = DatabaseFiles.byteCount(of: path + "-wal")
        return statistics
    }

    private static func statistics(of database: Database, top: Int) throws -> DatabaseStatistics {
        var statistics = DatabaseStatistics()
        func integer(_ sql: String) throws -> Int64 { try Int64.fetchOne(database, sql: sql) ?? 0 }
        statistics.schemaVersion = Int(try integer("PRAGMA user_version"))
        statistics.freeBytes = try integer("PRAGMA freelist_count") * integer("PRAGMA page_size")
        statistics.series = Int(try integer("SELECT count(*) FROM series"))
        statistics.sealedSamples = try integer("SELECT coalesce(sum(count), 0) FROM chunk")
        statistics.samples = try statistics.sealedSamples + integer("SELECT count(*) FROM sample")
        statistics.minuteWindows = Int(try integer("SELECT count(*) FROM window_1m"))
        statistics.hourWindows = Int(try integer("SELECT count(*) FROM window_1h"))
        (statistics.oldestSample, statistics.newestSample) = try ends(of: database)
        statistics.metrics = try counts(
            "SELECT metric, count(*) FROM series GROUP BY metric ORDER BY 2 DESC, 1 LIMIT ?", top, in: database)
        statistics.labels = try counts(
            "SELECT name, count(*) FROM label WHERE name <> '\(Label.metricName)' GROUP BY name ORDER BY 2 DESC, 1 LIMIT ?",
            top, in: database)
        statistics.retentions = try retentions(in: database)
        statistics.overflow = try OverflowTable.read(database)
        let options = try String.fetchAll(database, sql: "PRAGMA compile_options")
        if options.contains("ENABLE_DBSTAT_VTAB") {
            statistics.tableBytes = try counts(
                "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT ?", 100, in: database)
            func bytes(of table: String) -> Int64? {
                statistics.tableBytes.first { $0.name == table }.map { Int64($0.count) }
            }
            statistics.chunkTableBytes = bytes(of: "chunk")
            statistics.sampleTableBytes = bytes(of: "sample")
        }
        return statistics
    }

    /// The timestamps of the oldest and the newest sample.
    private static func ends(of database: Database) throws -> (oldest: Timestamp?, newest: Timestamp?) {
        let oldest = try Int64.fetchOne(
            database,
            sql: """
                SELECT min(first) FROM (
                    SELECT min(first) AS first FROM chunk WHERE hour = (SELECT min(hour) FROM chunk)
                    UNION ALL SELECT min(timestamp) FROM sample)
                """)
        let newest = try Int64.fetchOne(
            database,
            sql: """
                SELECT max(last) FROM (
                    SELECT max(last) AS last FROM chunk WHERE hour = (SELECT max(hour) FROM chunk)
                    UNION ALL SELECT max(timestamp) FROM sample)
                """)
        return (oldest.map(Timestamp.init(milliseconds:)), newest.map(Timestamp.init(milliseconds:)))
    }

    private static func counts(
        _ sql: String, _ limit: Int, in database: Database
    ) throws -> [DatabaseStatistics.Count] {
        let rows = try PreparedStatement(sql, on: database)
        rows.bind(Int64(limit), at: 1)
        var counts: [DatabaseStatistics.Count] = []
        while try rows.step() { counts.append(.init(name: rows.text(0), count: Int(rows.integer(1)))) }
        return counts
    }

    private static func retentions(in database: Database) throws -> [DatabaseStatistics.RetentionUse] {
        let counts = try PreparedStatement(
            "SELECT retention, count(*) FROM series_state GROUP BY retention", on: database)
        var series: [Int64: Int] = [:]
        while try counts.step() { series[counts.integer(0)] = Int(counts.integer(1)) }
        return try RetentionTable.read(database).compactMap { entry in
            series[entry.id].map { .init(retention: entry.retention, series: $0) }
        }
    }
}
