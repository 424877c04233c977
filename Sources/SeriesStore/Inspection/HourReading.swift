internal import Aggregation
internal import GRDB
internal import MetricModel

/// Reads everything of one hour in the order of series. Made for one check, used on its connection.
struct HourReading {
    private let chunkHours: PreparedStatement
    private let rowHours: PreparedStatement
    private let windowHours: PreparedStatement
    private let chunks: PreparedStatement
    private let rows: PreparedStatement
    private let windows: [Resolution: PreparedStatement]

    init(_ database: Database) throws {
        let hour = Chunk.span.milliseconds
        chunkHours = try PreparedStatement("SELECT DISTINCT hour FROM chunk", on: database)
        rowHours = try PreparedStatement(
            "SELECT DISTINCT timestamp - (timestamp % \(hour) + \(hour)) % \(hour) FROM sample", on: database)
        windowHours = try PreparedStatement("SELECT DISTINCT start FROM window_1h", on: database)
        chunks = try PreparedStatement(
            "SELECT series_id, first, last, count, samples FROM chunk WHERE hour = ? ORDER BY series_id, first",
            on: database)
        rows = try PreparedStatement(
            """
            SELECT series_id, timestamp, value FROM sample WHERE timestamp >= ? AND timestamp < ?
            ORDER BY series_id, timestamp
            """, on: database)
        windows = try Resolution.allCases.reduce(into: [:]) { windows, resolution in
            windows[resolution] = try PreparedStatement(
                """
                SELECT \(WindowRow.columns) FROM \(resolution.table) WHERE start >= ? AND start < ?
                ORDER BY start, series_id
                """, on: database)
        }
    }

    /// The hours in which there is anything, in order of time.
    func hours() throws -> [Timestamp] {
        var hours: Set<Int64> = []
        for statement in [chunkHours, rowHours, windowHours] {
            while try statement.step() { hours.insert(statement.integer(0)) }
        }
        return hours.sorted().map { Timestamp(milliseconds: $0) }
    }

    /// From when on the windows of each series are made of samples that are still there. The hour that retention is
    /// about to take may be half gone, so it is left out.
    func floors(_ database: Database) throws -> [Int64: Timestamp] {
        let rows = try PreparedStatement(
            """
            SELECT series.id, coalesce(floor, \(Int64.min)) FROM series
            LEFT JOIN series_state ON series_id = series.id LEFT JOIN retention ON retention.id = retention
            """, on: database)
        var floors: [Int64: Timestamp] = [:]
        while try rows.step() { floors[rows.integer(0)] = Timestamp(milliseconds: rows.integer(1)) }
        return floors
    }

    /// Calls `body` with the samples of each series, in order of time, and the number of its chunks.
    func forEachSeries(
        in hour: Timestamp, _ report: (String) -> Void, _ body: (Int64, [Sample], Int) -> Void
    ) throws {
        let end = Chunk.span.window(containing: hour).end
        bind(rows, hour, end)
        chunks.bind(hour.milliseconds, at: 1)
        defer {
            rows.reset()
            chunks.reset()
        }
        var hasRow = try rows.step()
        var hasChunk = try chunks.step()
        while hasRow || hasChunk {
            let series = min(hasRow ? rows.integer(0) : .max, hasChunk ? chunks.integer(0) : .max)
            var samples: [Sample] = []
            var chunkCount = 0
            while hasChunk, chunks.integer(0) == series {
                unpack(into: &samples, hour..<end) { report("chunk \(chunkCount) of series \(series): \($0)") }
                chunkCount += 1
                hasChunk = try chunks.step()
            }
            let packed = samples.count
            while hasRow, rows.integer(0) == series {
                samples.append(
                    Sample(timestamp: Timestamp(milliseconds: rows.integer(1)), value: rows.sampleValue(2)))
                hasRow = try rows.step()
            }
            if packed > 0, packed < samples.count { samples = Self.merged(samples) }
            body(series, samples, chunkCount)
        }
    }

    /// While samples are being sealed some are rows and in a chunk.
    private static func merged(_ samples: [Sample]) -> [Sample] {
        var merged: [Sample] = []
        for sample in samples.sorted(by: { $0.timestamp < $1.timestamp })
        where merged.last?.timestamp != sample.timestamp { merged.append(sample) }
        return merged
    }

    private func unpack(into samples: inout [Sample], _ hour: Range<Timestamp>, _ report: (String) -> Void) {
        let (first, last, count) = (chunks.integer(1), chunks.integer(2), Int(chunks.integer(3)))
        var unpacked: [Sample] = []
        do {
            try chunks.withBytes(4) { bytes in
                try ChunkCodec.decode(bytes, count: count) { unpacked.append($0) }
            }
        } catch {
            return report("it is damaged: \(error)")
        }
        if unpacked.first?.timestamp.milliseconds != first || unpacked.last?.timestamp.milliseconds != last {
            report("its samples do not lie between \(first) and \(last)")
        }
        if zip(unpacked, unpacked.dropFirst()).contains(where: { $0.timestamp >= $1.timestamp }) {
            report("its samples are out of order")
        }
        if unpacked.contains(where: { !hour.contains($0.timestamp) }) { report("it has samples of other hours") }
        if let before = samples.last, let next = unpacked.first, before.timestamp >= next.timestamp {
            report("it overlaps the one before it")
        }
        samples += unpacked
    }

    func forEachWindow(
        _ resolution: Resolution, in hour: Timestamp, _ body: (Timestamp, Int64, WindowAggregate) -> Void
    ) throws {
        guard let windows = windows[resolution] else { return }
        bind(windows, hour, Chunk.span.window(containing: hour).end)
        while try windows.step() {
            body(WindowRow.start(in: windows), WindowRow.series(in: windows).rawValue, WindowRow.aggregate(in: windows))
        }
    }

    private func bind(_ statement: PreparedStatement, _ from: Timestamp, _ to: Timestamp) {
        statement.bind(from.milliseconds, at: 1)
        statement.bind(to.milliseconds, at: 2)
    }
}
