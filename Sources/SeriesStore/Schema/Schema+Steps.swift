extension Schema {
    /// All steps since the first release, in order. A step that was released is never edited.
    static let steps: [Step] = [
        Step(name: "series, samples, windows and progress", sql: firstTables),
        Step(name: "sealed chunks", sql: chunkTables),
        Step(name: "retention and limits of series", sql: retentionTables),
        Step(name: "several writers of one group", sql: sharingTables),
        Step(name: "alerts", sql: alertTables),
        Step(name: "rules, their windows and what they emit", sql: ruleTables),
        Step(name: "open minutes", sql: openMinuteTables),
    ]

    /// Times are milliseconds since the epoch (UTC). A NULL among the values is NaN.
    ///
    /// Samples and windows are keyed by time first: one commit holds about one sample of every series, so all its
    /// rows lie side by side. Keyed by series first, each would dirty a page of its own, and a commit would write
    /// a hundred times as much. A series' history is read by short walks or by one look-up per window.
    private static let firstTables = """
        CREATE TABLE series (
            id          INTEGER PRIMARY KEY,
            metric      TEXT NOT NULL,
            labels      TEXT NOT NULL,
            fingerprint INTEGER NOT NULL
        );
        CREATE INDEX series_fingerprint ON series (fingerprint);
        CREATE INDEX series_metric ON series (metric);

        CREATE TABLE label (
            id    INTEGER PRIMARY KEY,
            name  TEXT NOT NULL,
            value TEXT NOT NULL,
            UNIQUE (name, value)
        );
        CREATE TABLE series_label (
            label_id  INTEGER NOT NULL,
            series_id INTEGER NOT NULL,
            PRIMARY KEY (label_id, series_id)
        ) WITHOUT ROWID;

        CREATE TABLE sample (
            timestamp INTEGER NOT NULL,
            series_id INTEGER NOT NULL,
            value     REAL,
            PRIMARY KEY (timestamp, series_id)
        ) WITHOUT ROWID;

        \(windowTable("window_1m"))
        \(windowTable("window_1h"))

        CREATE TABLE source_offset (
            topic       TEXT NOT NULL,
            "partition" INTEGER NOT NULL,
            next_offset INTEGER NOT NULL,
            PRIMARY KEY (topic, "partition")
        ) WITHOUT ROWID;

        CREATE TABLE agent_sequence (
            agent TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            topic TEXT NOT NULL,
            first INTEGER NOT NULL,
            last  INTEGER NOT NULL,
            PRIMARY KEY (agent, epoch, topic, first)
        ) WITHOUT ROWID;

        CREATE VIEW recent_samples AS
            SELECT \(readable("timestamp")) AS time, labels AS series, value, metric, timestamp
            FROM sample JOIN series ON series.id = series_id;
        \(windowView("minutes", of: "window_1m"))
        \(windowView("hours", of: "window_1h"))
        """

    /// Older samples, packed (`ChunkCodec`): one or more chunks for each series and hour, by hour first for the reason
    /// above. Chunks of one series do not overlap. Samples before `sealed_before` go into chunks; while sealing is
    /// under way some of them are in `sample` too.
    private static let chunkTables = """
        CREATE TABLE chunk (
            hour      INTEGER NOT NULL,
            series_id INTEGER NOT NULL,
            first     INTEGER NOT NULL,
            last      INTEGER NOT NULL,
            count     INTEGER NOT NULL,
            samples   BLOB NOT NULL,
            PRIMARY KEY (hour, series_id, first)
        ) WITHOUT ROWID;

        CREATE TABLE sealing (
            sealed_before INTEGER NOT NULL
        );
        INSERT INTO sealing (sealed_before) VALUES (\(Int64.min));
        """

    /// Durations are milliseconds, 0 for ever. `retention.floor`: samples before it were deleted once. A table's
    /// `retention_progress` says before which time all rows of that retention are gone.
    private static let retentionTables = """
        CREATE TABLE retention (
            id      INTEGER PRIMARY KEY,
            samples INTEGER NOT NULL,
            minutes INTEGER NOT NULL,
            hours   INTEGER NOT NULL,
            floor   INTEGER NOT NULL
        );
        CREATE TABLE retention_policy (
            policy TEXT NOT NULL
        );
        CREATE TABLE retention_progress (
            retention INTEGER NOT NULL,
            "table"   TEXT NOT NULL,
            "before"  INTEGER NOT NULL,
            PRIMARY KEY (retention, "table")
        ) WITHOUT ROWID;

        CREATE TABLE series_state (
            series_id INTEGER PRIMARY KEY,
            retention INTEGER NOT NULL,
            last_hour INTEGER NOT NULL
        );
        INSERT INTO series_state (series_id, retention, last_hour)
            SELECT id, 0, coalesce(latest, 0) FROM series LEFT JOIN
                (SELECT series_id, max(start) AS latest FROM window_1h GROUP BY series_id) ON series_id = id;

        CREATE TABLE series_overflow (
            "limit"      TEXT NOT NULL,
            culprit      TEXT NOT NULL,
            metric       TEXT NOT NULL,
            label        TEXT NOT NULL,
            label_values INTEGER NOT NULL,
            series       INTEGER NOT NULL,
            samples      INTEGER NOT NULL,
            PRIMARY KEY ("limit", culprit)
        ) WITHOUT ROWID;
        """

    /// Where each condition stands for each series that it watches, as of the samples that are stored. A time that means
    /// nothing in a state is 0.
    private static let alertTables = """
        CREATE TABLE alert_status (
            alert        TEXT NOT NULL,
            series       TEXT NOT NULL,
            condition    TEXT NOT NULL,
            topic        TEXT NOT NULL,
            "partition"  INTEGER NOT NULL,
            state        TEXT NOT NULL,
            active_since INTEGER NOT NULL,
            fired_at     INTEGER NOT NULL,
            last_time    INTEGER NOT NULL,
            last_value   REAL,
            PRIMARY KEY (alert, series)
        ) WITHOUT ROWID;

        CREATE VIEW alerts AS
            SELECT alert, state, series, \(readable("active_since")) AS active_since, last_value AS value, condition,
                \(readable("last_time")) AS time
            FROM alert_status WHERE state <> 'inactive';
        """

    /// `source_offset.checksum`: of the record batch that ends before `next_offset`. `series_change.next_id`: ids of series
    /// are given once only. `removed_series` tells other writers which series are
    /// gone, up to `series_change.forgotten` no more.
    private static let sharingTables = """
        CREATE TABLE consumer_group (
            name TEXT NOT NULL
        );
        ALTER TABLE source_offset ADD COLUMN topic_id TEXT;
        ALTER TABLE source_offset ADD COLUMN checksum INTEGER;

        CREATE TABLE series_change (
            next_id   INTEGER NOT NULL,
            forgotten INTEGER NOT NULL
        );
        INSERT INTO series_change (next_id, forgotten) SELECT coalesce(max(id), 0) + 1, 0 FROM series;
        CREATE TABLE removed_series (
            number     INTEGER PRIMARY KEY AUTOINCREMENT,
            series_id  INTEGER NOT NULL,
            labels     TEXT NOT NULL,
            removed_at INTEGER NOT NULL
        );
        """

    /// `identity`: by which readers of what is emitted tell this database from others; a backup has it too, so each process
    /// that emits takes an `epoch` of its own. `rule_window` is a ledger's row (`LedgerWindow`); `digest` has its 64 bits, and
    /// `rule.watermark` the smallest number there is as long as nothing is known. `outbox`: what is to be emitted, numbered
    /// without gaps for each topic and epoch. `rule_note`: a process that does not lead has stored a sample of about this time;
    /// `member_event_time`: how far event time has come in each process.
    private static let ruleTables = """
        CREATE TABLE identity (
            id    TEXT NOT NULL,
            epoch INTEGER NOT NULL
        );
        INSERT INTO identity (id, epoch) SELECT
            substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-' ||
            substr(h, 21, 12), 0
            FROM (SELECT lower(hex(randomblob(16))) AS h);

        CREATE TABLE rule (
            id         INTEGER PRIMARY KEY AUTOINCREMENT,
            name       TEXT NOT NULL UNIQUE,
            definition TEXT NOT NULL,
            watermark  INTEGER NOT NULL,
            horizon    INTEGER NOT NULL
        );
        CREATE TABLE rule_window (
            rule_id  INTEGER NOT NULL,
            start    INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            digest   INTEGER NOT NULL,
            closed   INTEGER NOT NULL,
            dirty    INTEGER NOT NULL,
            partial  INTEGER NOT NULL,
            PRIMARY KEY (rule_id, start)
        ) WITHOUT ROWID;

        CREATE TABLE outbox (
            topic        TEXT NOT NULL,
            epoch        INTEGER NOT NULL,
            sequence     INTEGER NOT NULL,
            rule         TEXT NOT NULL,
            window_start INTEGER NOT NULL,
            window_end   INTEGER NOT NULL,
            revision     INTEGER NOT NULL,
            key          TEXT NOT NULL,
            value        TEXT NOT NULL,
            PRIMARY KEY (topic, epoch, sequence)
        ) WITHOUT ROWID;

        CREATE TABLE rule_note (
            rule_id INTEGER NOT NULL,
            time    INTEGER NOT NULL,
            PRIMARY KEY (rule_id, time)
        ) WITHOUT ROWID;
        CREATE TABLE member_event_time (
            member     TEXT PRIMARY KEY,
            event_time INTEGER NOT NULL,
            written_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        """

    /// Samples from the border on (`SettledBorder`) are in no window table yet; the view `minutes` has them all the same. Until
    /// this step all samples were, so the border begins behind them.
    private static let openMinuteTables = """
        CREATE TABLE settling (
            settled_before INTEGER NOT NULL,
            series_id      INTEGER NOT NULL
        );
        INSERT INTO settling (settled_before, series_id)
            SELECT CASE latest WHEN \(Int64.min) THEN latest ELSE (latest / 60000 + 1) * 60000 END, 0 FROM (
                SELECT max((SELECT sealed_before FROM sealing), (SELECT coalesce(max(timestamp), \(Int64.min)) FROM sample))
                    AS latest);

        CREATE VIEW open_minutes AS
            SELECT start, series_id, count(*) AS count, CASE count(value) WHEN count(*) THEN sum(value) END AS sum,
                min(value) AS min, max(value) AS max, first, last
            FROM (
                SELECT timestamp - timestamp % 60000 AS start, sample.series_id, value,
                    first_value(value) OVER in_minute AS first, last_value(value) OVER in_minute AS last
                FROM settling JOIN sample ON timestamp >= settled_before
                WHERE (timestamp >= settled_before + 60000 OR sample.series_id >= settling.series_id)
                    AND typeof(value) <> 'blob'
                WINDOW in_minute AS (
                    PARTITION BY timestamp - timestamp % 60000, sample.series_id ORDER BY timestamp
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
            )
            GROUP BY start, series_id;

        DROP VIEW minutes;
        CREATE VIEW minutes AS
            SELECT \(readable("start")) AS time, labels AS series, count, sum / count AS mean, min, max, first, last,
                sum, metric, start
            FROM (
                SELECT start, series_id, count, sum, min, max, first, last FROM window_1m
                UNION ALL SELECT start, series_id, count, sum, min, max, first, last FROM open_minutes
            ) JOIN series ON series.id = series_id;
        """

    private static func windowTable(_ name: String) -> String {
        """
        CREATE TABLE \(name) (
            start           INTEGER NOT NULL,
            series_id       INTEGER NOT NULL,
            count           INTEGER NOT NULL,
            sum             REAL,
            min             REAL,
            max             REAL,
            first           REAL,
            last            REAL,
            first_timestamp INTEGER NOT NULL,
            last_timestamp  INTEGER NOT NULL,
            sum_remainder   REAL NOT NULL,
            PRIMARY KEY (start, series_id)
        ) WITHOUT ROWID;
        """
    }

    private static func windowView(_ name: String, of table: String) -> String {
        """
        CREATE VIEW \(name) AS
            SELECT \(readable("start")) AS time, labels AS series, count, sum / count AS mean, min, max, first, last,
                sum, metric, start
            FROM \(table) JOIN series ON series.id = series_id;
        """
    }

    /// SQL for a time that reads `2026-02-28 23:59:00`, in UTC, as SQLite's own functions write it.
    private static func readable(_ column: String) -> String {
        "strftime('%Y-%m-%d %H:%M:%S', \(column) / 1000, 'unixepoch')"
    }
}
