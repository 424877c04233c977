internal import GRDB
internal import GRDBSQLite

extension Configuration {
    /// A connection that writes. `synchronous = NORMAL` (GRDB's choice with the write-ahead log): a commit is
    /// not synced. Power loss may take back whole transactions, offsets and samples together, and the topic gives
    /// them again; docs/decisions/0005-sqlite-store.md.
    static func writing(_ settings: SeriesWriter.Configuration) -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.journalMode = .wal
        configuration.busyMode = .waiting(for: settings.busyTimeout)
        configuration.label = "weir.store.writer"
        configuration.prepareDatabase { database in
            // Takes effect on a new file only, and has to come before its first table.
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            try database.execute(sql: "PRAGMA cache_size = -\(settings.cacheBytes / 1024)")
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            if let maximumBytes = settings.maximumBytes {
                let pageBytes = try Int64.fetchOne(database, sql: "PRAGMA page_size") ?? 4096
                try database.execute(sql: "PRAGMA max_page_count = \(max(1, maximumBytes / pageBytes))")
            }
        }
        return configuration
    }

    /// Connections that read, in this process or another one. Beside the write-ahead log they wait for nobody, but
    /// for the moments when the log is recovered or removed; the timeout is for those.
    static func reading(busyTimeout: Duration) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(busyTimeout.seconds)
        configuration.label = "weir.store.reader"
        return configuration
    }
}

extension Database.BusyMode {
    /// Looks again every millisecond at first: SQLite's own handler sleeps for up to a tenth of a second, and would miss the
    /// moments between the steps of another process that seals.
    static func waiting(for timeout: Duration) -> Database.BusyMode {
        let (quick, slow) = (200, 0.005)
        let attempts = quick + Int(max(0, timeout.seconds - 0.2) / slow)
        return .callback { attempt in
            sqlite3_sleep(attempt < quick ? 1 : 5)
            return attempt < attempts
        }
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
