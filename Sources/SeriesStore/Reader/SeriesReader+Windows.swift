public import Aggregation
internal import GRDB
public import MetricModel

extension SeriesReader {
    /// The windows of some series with `from <= start < to`, each series' in order of time. Series without any are
    /// left out.
    public func windows(
        of series: some Collection<SeriesID>, resolution: Resolution, from: Timestamp, to: Timestamp
    ) throws(StoreError) -> [SeriesID: [StoredWindow]] {
        let wanted = Set(series)
        if wanted.isEmpty || from >= to { return [:] }
        return try read { database in
            var windows: [SeriesID: [StoredWindow]] = [:]
            let rows = try WindowRows(resolution, database)
            let open = try OpenRows(database)
            var start = from
            // Window by window; of each all rows, or only those of the wanted series where these are few.
            while let next = try rows.firstStart(from: start, before: to) {
                try rows.forEach(in: next, of: wanted) { id, aggregate in
                    windows[id, default: []].append(StoredWindow(start: next, aggregate: aggregate))
                }
                start = next + .milliseconds(1)
            }
            try open.forEach(of: wanted) { id, sample in
                let start = resolution.windowStart(of: sample.timestamp)
                guard from <= start, start < to else { return }
                windows[id, default: []].add(sample, in: start)
            }
            return windows
        }
    }

    /// The latest value of each of these series, staleness markers left out, looking back no further than `since`.
    /// Series without any value since then are left out.
    public func latest(of series: some Collection<SeriesID>, since: Timestamp) throws(StoreError) -> [SeriesID: Sample]
    {
        var missing = Set(series)
        return try read { database in
            var latest: [SeriesID: Sample] = [:]
            try OpenRows(database).forEachFromNewest(since: since) { id, sample in
                if missing.remove(id) != nil { latest[id] = sample }
                return !missing.isEmpty
            }
            let rows = try WindowRows(.oneHour, database)
            let first = Resolution.oneHour.windowStart(of: since)
            var before = Timestamp(milliseconds: .max)
            while !missing.isEmpty, let start = try rows.lastStart(from: first, before: before) {
                try rows.forEach(in: start, of: missing) { id, aggregate in
                    missing.remove(id)
                    if aggregate.last.timestamp >= since { latest[id] = aggregate.last }
                }
                before = start
            }
            return latest
        }
    }
}

/// Walks one window table. Made for one read, used on its connection.
private struct WindowRows {
    private let next: PreparedStatement
    private let previous: PreparedStatement
    private let ofSeries: PreparedStatement
    private let ofAll: PreparedStatement
    private let seriesCount: Int

    init(_ resolution: Resolution, _ database: Database) throws {
        let table = resolution.table
        next = try PreparedStatement(
            "SELECT start FROM \(table) WHERE start >= ? AND start < ? ORDER BY start LIMIT 1", on: database)
        previous = try PreparedStatement(
            "SELECT start FROM \(table) WHERE start >= ? AND start < ? ORDER BY start DESC LIMIT 1", on: database)
        ofSeries = try PreparedStatement(
            "SELECT \(WindowRow.columns) FROM \(table) WHERE start = ? AND series_id = ?", on: database)
        ofAll = try PreparedStatement("SELECT \(WindowRow.columns) FROM \(table) WHERE start = ?", on: database)
        seriesCount = try Int.fetchOne(database, sql: "SELECT max(id) FROM series") ?? 0
    }

    func firstStart(from: Timestamp, before: Timestamp) throws -> Timestamp? {
        try start(next, from, before)
    }

    func lastStart(from: Timestamp, before: Timestamp) throws -> Timestamp? {
        try start(previous, from, before)
    }

    private func start(_ statement: PreparedStatement, _ from: Timestamp, _ before: Timestamp) throws -> Timestamp? {
        statement.bind(from.milliseconds, at: 1)
        statement.bind(before.milliseconds, at: 2)
        guard try statement.step() else { return nil }
        defer { statement.reset() }
        return Timestamp(milliseconds: statement.integer(0))
    }

    func forEach(
        in start: Timestamp, of wanted: Set<SeriesID>, _ body: (SeriesID, WindowAggregate) -> Void
    ) throws {
        // A look-up costs about as much as passing over eight neighbours.
        guard wanted.count > seriesCount / 8 else {
            for id in wanted {
                ofSeries.bind(start.milliseconds, at: 1)
                ofSeries.bind(id.rawValue, at: 2)
                while try ofSeries.step() { body(id, WindowRow.aggregate(in: ofSeries)) }
            }
            return
        }
        ofAll.bind(start.milliseconds, at: 1)
        while try ofAll.step() {
            let id = WindowRow.series(in: ofAll)
            if wanted.contains(id) { body(id, WindowRow.aggregate(in: ofAll)) }
        }
    }
}

extension [StoredWindow] {
    /// Counts a sample, which is in no window after the last one here.
    fileprivate mutating func add(_ sample: Sample, in start: Timestamp) {
        guard let last, last.start == start else {
            return append(StoredWindow(start: start, aggregate: WindowAggregate(sample)))
        }
        var aggregate = last.aggregate
        aggregate.add(sample)
        self[count - 1] = StoredWindow(start: start, aggregate: aggregate)
    }
}

/// Walks the samples that are in no window table yet. Made for one read, used on its connection.
private struct OpenRows {
    private let settled: SettledBorder
    private let inOrder: PreparedStatement
    private let fromNewest: PreparedStatement

    init(_ database: Database) throws {
        settled = try SettledBorder.read(database)
        let select = "SELECT series_id, timestamp, value FROM sample WHERE timestamp >= ? ORDER BY timestamp"
        inOrder = try PreparedStatement(select, on: database)
        fromNewest = try PreparedStatement("\(select) DESC", on: database)
    }

    /// In order of time.
    func forEach(of wanted: Set<SeriesID>, _ body: (SeriesID, Sample) -> Void) throws {
        inOrder.bind(settled.before.milliseconds, at: 1)
        while let (id, sample) = try Self.next(inOrder) {
            if wanted.contains(id), !settled.covers(sample.timestamp, id.rawValue) { body(id, sample) }
        }
    }

    /// From the newest on, for as long as `body` gives true.
    func forEachFromNewest(since: Timestamp, _ body: (SeriesID, Sample) -> Bool) throws {
        fromNewest.bind(max(settled.before, since).milliseconds, at: 1)
        defer { fromNewest.reset() }
        while let (id, sample) = try Self.next(fromNewest), body(id, sample) {}
    }

    /// The next row that is no staleness marker.
    private static func next(_ rows: PreparedStatement) throws -> (SeriesID, Sample)? {
        while try rows.step() {
            let value = rows.sampleValue(2)
            if value.isStalenessMarker { continue }
            return (
                SeriesID(rows.integer(0)), Sample(timestamp: Timestamp(milliseconds: rows.integer(1)), value: value)
            )
        }
        return nil
    }
}
