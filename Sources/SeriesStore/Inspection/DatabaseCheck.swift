internal import Aggregation
internal import GRDB
internal import MetricModel

/// Checks a database beside its writer: SQLite's own check, then whether everything that is stored means what it should.
///
/// Sees one committed state. Walks over all of it, hour by hour. Used by one thread, which it blocks.
public final class DatabaseCheck {
    /// Something that is not as it should be.
    public struct Finding: Hashable, Sendable, CustomStringConvertible {
        /// What is wrong, and where.
        public let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// How far a check has come.
    public struct Progress: Hashable, Sendable {
        public let step: String
        /// From 0 to 1; nil where it cannot be known.
        public let share: Double?
    }

    /// What was looked at.
    public struct Report: Sendable {
        public internal(set) var findings: [Finding] = []
        /// More were found than are listed.
        public internal(set) var isCut = false
        public internal(set) var series = 0
        public internal(set) var samples: Int64 = 0
        public internal(set) var chunks: Int64 = 0
        /// Windows compared with the samples they are made of. Older ones outlive their samples.
        public internal(set) var comparedWindows: Int64 = 0
    }

    /// Findings that are listed.
    static let maximumFindings = 1000

    private let path: String
    private let queue: DatabaseQueue
    private var report = Report()
    private let progress: (Progress) -> Void

    /// Opens the database for reading. `progress` is called now and then.
    public init(path: String, progress: @escaping (Progress) -> Void = { _ in }) throws(StoreError) {
        guard case .version(let version) = try Schema.inspect(path: path, busyTimeout: .seconds(10)) else {
            throw .missing(path: path)
        }
        guard version == Schema.version else {
            throw .olderSchema(path: path, version: version, needed: Schema.version)
        }
        self.path = path
        self.progress = progress
        queue = try StoreError.naming(path) {
            try DatabaseQueue(path: path, configuration: .reading(busyTimeout: .seconds(10)))
        }
    }

    /// Runs the whole check.
    public func run() throws(StoreError) -> Report {
        defer { try? queue.close() }
        try StoreError.naming(path) {
            try queue.read { database in
                progress(Progress(step: "SQLite's pages and indexes", share: nil))
                for line in try String.fetchAll(database, sql: "PRAGMA integrity_check(100)") where line != "ok" {
                    found("SQLite: \(line)")
                }
                progress(Progress(step: "series and labels", share: nil))
                try checkSeries(database)
                try checkHours(database)
            }
        }
        return report
    }

    func found(_ description: String) {
        guard report.findings.count < Self.maximumFindings else {
            report.isCut = true
            return
        }
        report.findings.append(Finding(description))
    }

    // MARK: Series

    private func checkSeries(_ database: Database) throws {
        let rows = try PreparedStatement(
            """
            SELECT id, metric, labels, fingerprint, retention,
                (SELECT count(*) FROM retention AS known WHERE known.id = state.retention)
            FROM series LEFT JOIN series_state AS state ON series_id = id
            """, on: database)
        var postings = 0
        while try rows.step() {
            report.series += 1
            let (id, text) = (rows.integer(0), rows.text(2))
            guard let labels = try? Labels(parsing: text) else {
                found("series \(id): its labels cannot be read: \(text)")
                continue
            }
            postings += labels.count
            if labels.description != text { found("series \(id): its labels are not written canonically: \(text)") }
            if labels.metricName != rows.text(1) {
                found("series \(id): metric '\(rows.text(1))' is not that of \(text)")
            }
            if SeriesTables.fingerprint(of: text) != rows.integer(3) {
                found("series \(id): wrong fingerprint of \(text)")
            }
            if rows.integer(5) == 0 { found("series \(id): it has no retention") }
        }
        let stored = try Int.fetchOne(database, sql: "SELECT count(*) FROM series_label") ?? 0
        if stored != postings { found("the label index has \(stored) entries, the series have \(postings) labels") }
        let orphans = try Int.fetchOne(
            database,
            sql: """
                SELECT count(*) FROM series_label
                WHERE series_id NOT IN (SELECT id FROM series) OR label_id NOT IN (SELECT id FROM label)
                """)
        if let orphans, orphans > 0 { found("the label index has \(orphans) entries of no series or label") }
    }

    // MARK: Samples and windows

    private func checkHours(_ database: Database) throws {
        let settled = try SettledBorder.read(database)
        let sealedBefore = try Int64.fetchOne(database, sql: "SELECT sealed_before FROM sealing") ?? .min
        if Timestamp(milliseconds: sealedBefore) > settled.before {
            found("samples before \(sealedBefore) are sealed, and only those before \(settled.before) are in windows")
        }
        let reading = try HourReading(database)
        let floors = try reading.floors(database)
        let hours = try reading.hours()
        for (index, hour) in hours.enumerated() {
            progress(Progress(step: "samples and windows of \(hour)", share: Double(index) / Double(hours.count)))
            try checkHour(hour, reading, floors, settled)
        }
        progress(Progress(step: "done", share: 1))
    }

    /// The chunks and rows of an hour, and its windows against them.
    private func checkHour(
        _ hour: Timestamp, _ reading: HourReading, _ floors: [Int64: Timestamp], _ settled: SettledBorder
    ) throws {
        var expected = Dictionary(uniqueKeysWithValues: Resolution.allCases.map { ($0, WindowParts($0)) })
        let report = { (text: String) in self.found("hour \(hour): \(text)") }
        try reading.forEachSeries(in: hour, report) { series, samples, chunkCount in
            self.report.chunks += Int64(chunkCount)
            self.report.samples += Int64(samples.count)
            guard let floor = floors[series] else { return report("samples of series \(series), which does not exist") }
            // Of an hour that is partly gone the windows have more than the samples say.
            guard hour >= floor else { return }
            for sample in samples where !sample.value.isStalenessMarker && settled.covers(sample.timestamp, series) {
                for resolution in Resolution.allCases { expected[resolution]?.add(sample, of: series) }
            }
        }
        for resolution in Resolution.allCases {
            var parts = expected[resolution]?.finish() ?? []
            parts.reverse()
            try reading.forEachWindow(resolution, in: hour) { start, series, aggregate in
                guard let floor = floors[series] else {
                    return report("a \(resolution) window of series \(series), which does not exist")
                }
                guard hour >= floor else { return }
                while let next = parts.last, (next.start, next.series) < (start, series) {
                    report("no \(resolution) window of series \(next.series) at \(next.start), but samples")
                    parts.removeLast()
                }
                guard let next = parts.last, (next.start, next.series) == (start, series) else {
                    return report("a \(resolution) window of series \(series) at \(start) without samples")
                }
                parts.removeLast()
                self.report.comparedWindows += 1
                if next.aggregate != aggregate, !next.aggregate.isSame(as: aggregate) {
                    report(
                        """
                        the \(resolution) window of series \(series) at \(start) is not that of its samples: it has \
                        \(aggregate.count) of sum \(aggregate.sum.value), they are \(next.aggregate.count) of sum \
                        \(next.aggregate.sum.value)
                        """)
                }
            }
            for part in parts {
                report("no \(resolution) window of series \(part.series) at \(part.start), but samples")
            }
        }
    }
}

extension WindowAggregate {
    /// Equal but for NaN, which equals nothing, and for what the order of additions rounds away.
    fileprivate func isSame(as other: WindowAggregate) -> Bool {
        func same(_ one: Double, _ other: Double) -> Bool { one == other || (one.isNaN && other.isNaN) }
        func near(_ one: Double, _ other: Double) -> Bool {
            same(one, other) || abs(one - other) <= 1e-12 * Swift.max(abs(one), abs(other))
        }
        return count == other.count && near(sum.value, other.sum.value) && same(min, other.min)
            && same(max, other.max) && first.timestamp == other.first.timestamp
            && last.timestamp == other.last.timestamp && same(first.value, other.first.value)
            && same(last.value, other.last.value)
    }
}
