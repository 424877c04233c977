internal import Aggregation
internal import GRDB
internal import MetricModel

/// Where samples are counted: those of minutes that have passed in the rows of their windows at once, those of the present minute
/// when it is over.
///
/// A live commit has about one sample of every series. Bringing each into the rows of two windows costs several times what
/// storing it does, so the minutes from a border on stay open: their samples are rows of `sample` and nothing else. A minute is
/// settled a few seconds after its end, once for all its samples. Whatever is killed in between, the rows are there, and the
/// border (in the database) says of each whether it is counted already. The border only moves on; late samples are before it.
/// Owned by the `SeriesWriter`, used on its connection only.
struct WindowTables {
    /// How long after its end a minute stays open, so that few samples come late.
    private static let patience = Duration.seconds(5)
    /// How far the border may lie back before a commit helps to move it.
    private static let tolerance = Duration.seconds(120)
    /// The series of a minute that a step settles, so that it can go between two commits.
    private static let stepSeries = 4000

    private var tables: [WindowTable]
    private(set) var settled: SettledBorder
    private var open = OpenMinutes()
    private let putBorder: PreparedStatement
    private let firstRow: PreparedStatement
    private let newestRow: PreparedStatement
    private let rows: PreparedStatement

    init(_ database: Database) throws {
        tables = try Resolution.allCases.map { try WindowTable($0, database) }
        settled = try SettledBorder.read(database)
        putBorder = try PreparedStatement("UPDATE settling SET settled_before = ?, series_id = ?", on: database)
        firstRow = try PreparedStatement(
            "SELECT timestamp FROM sample WHERE timestamp >= ? AND timestamp < ? ORDER BY timestamp LIMIT 1",
            on: database)
        newestRow = try PreparedStatement("SELECT timestamp FROM sample ORDER BY timestamp DESC LIMIT 1", on: database)
        rows = try PreparedStatement(
            "SELECT series_id, timestamp, value FROM sample WHERE timestamp >= ? AND timestamp < ?", on: database)
        try forgetOpen()
    }

    /// Reads again what is remembered, after a transaction that failed or one of another process.
    mutating func reload(_ database: Database) throws {
        for index in tables.indices { try tables[index].reload(database) }
        settled = try SettledBorder.read(database)
        try forgetOpen()
    }

    private mutating func forgetOpen() throws {
        var completeFrom = settled.before
        if try newestRow.step() {
            let newest = Timestamp(milliseconds: newestRow.integer(0))
            newestRow.reset()
            completeFrom = max(completeFrom, Resolution.oneMinute.window(containing: newest).end)
        }
        open.forget(completeFrom: completeFrom)
    }

    /// Counts the samples that a commit has stored. Gives how many rows were written.
    mutating func add(_ runs: SeriesRuns) throws -> Int {
        var parts = tables.map { WindowParts($0.resolution) }
        for run in runs.runs {
            for index in run.range where runs.isKept(index) {
                let entry = runs.entries[index]
                if entry.value.isStalenessMarker { continue }
                let sample = Sample(timestamp: entry.timestamp, value: entry.value)
                if settled.covers(entry.timestamp, run.series) {
                    for table in parts.indices { parts[table].add(sample, of: run.series) }
                } else {
                    open.add(sample, of: run.series)
                }
            }
        }
        var written = 0
        for table in tables.indices {
            let finished = parts[table].finish()
            try tables[table].merge(finished)
            written += finished.count
        }
        return written
    }

    // MARK: Settling

    /// Before a commit: passes over minutes in which nothing is stored. Where settling has fallen far behind, because commits
    /// leave it no time, this does a step of it.
    mutating func catchUp(now: Timestamp) throws {
        let passed = Self.passed(at: now)
        guard passed > settled.before else { return }
        if try firstOpen(before: passed) == nil {
            try move(to: passed)
        } else if passed - settled.before > Self.tolerance {
            try settle(seriesLimit: Self.stepSeries, before: passed)
        }
    }

    /// Settles some series of the first open minute that has passed. Gives whether there is more to do.
    ///
    /// - Parameter isShared: others write too. A minute is settled in one step then, since it has to be read again after each
    ///   transaction of theirs.
    mutating func settle(now: Timestamp, isShared: Bool) throws -> Bool {
        let passed = Self.passed(at: now)
        guard passed > settled.before else { return false }
        return try settle(seriesLimit: isShared ? .max : Self.stepSeries, before: passed)
    }

    /// Settles all minutes that begin before an instant, so that everything before it may be packed.
    mutating func settleAll(before instant: Timestamp) throws {
        let end = Resolution.oneMinute.window(containing: instant - .milliseconds(1)).end
        guard end > settled.before else { return }
        while try settle(seriesLimit: .max, before: end) {}
    }

    /// The minutes before this instant are over.
    private static func passed(at now: Timestamp) -> Timestamp {
        Resolution.oneMinute.windowStart(of: now - patience)
    }

    /// Does one step. Gives false when the border has reached `end`, the beginning of a minute.
    @discardableResult
    private mutating func settle(seriesLimit: Int, before end: Timestamp) throws -> Bool {
        guard let first = try firstOpen(before: end) else {
            try move(to: end)
            return false
        }
        let minute = Resolution.oneMinute.windowStart(of: first)
        if minute > settled.before { try move(to: minute) }
        if !open.isComplete(minute) { try readRows(of: minute) }
        let (parts, next) = open.windows(of: minute, from: settled.series, count: seriesLimit)
        for table in tables.indices {
            let resolution = tables[table].resolution
            try tables[table].merge(
                parts.map {
                    WindowPart(start: resolution.windowStart(of: $0.start), series: $0.series, aggregate: $0.aggregate)
                })
        }
        if let next {
            try move(to: minute, series: next)
        } else {
            open.remove(minute)
            try move(to: Resolution.oneMinute.window(containing: minute).end)
        }
        return settled.before < end
    }

    private mutating func move(to minute: Timestamp, series: Int64 = SettledBorder.firstSeries) throws {
        settled = SettledBorder(before: minute, series: series)
        putBorder.bind(minute.milliseconds, at: 1)
        putBorder.bind(series, at: 2)
        try putBorder.run()
    }

    /// The earliest row that the border does not lie behind.
    private func firstOpen(before end: Timestamp) throws -> Timestamp? {
        firstRow.bind(settled.before.milliseconds, at: 1)
        firstRow.bind(end.milliseconds, at: 2)
        guard try firstRow.step() else { return nil }
        defer { firstRow.reset() }
        return Timestamp(milliseconds: firstRow.integer(0))
    }

    private mutating func readRows(of minute: Timestamp) throws {
        rows.bind(minute.milliseconds, at: 1)
        rows.bind(Resolution.oneMinute.window(containing: minute).end.milliseconds, at: 2)
        try open.read(minute) {
            guard try rows.step() else { return nil }
            return (
                rows.integer(0), Sample(timestamp: Timestamp(milliseconds: rows.integer(1)), value: rows.sampleValue(2))
            )
        }
    }
}
