internal import Aggregation
internal import GRDB
public import MetricModel

extension SeriesReader {
    /// The samples of some series with `from <= timestamp < to`, each series' in order of time. Series without any
    /// are left out.
    public func samples(
        of series: some Collection<SeriesID>, from: Timestamp, to: Timestamp
    ) throws(StoreError) -> [SeriesID: [Sample]] {
        let wanted = Set(series)
        return try read { database in try Self.samples(of: wanted, from: from, to: to, in: database) }
    }

    /// The same, as part of a reading.
    static func samples(
        of wanted: Set<SeriesID>, from: Timestamp, to: Timestamp, in database: Database
    ) throws -> [SeriesID: [Sample]] {
        if wanted.isEmpty || from >= to { return [:] }
        var samples: [SeriesID: [Sample]] = [:]
        try ChunkRows(database).forEach(of: wanted, from: from, to: to) { id, sample in
            samples[id, default: []].append(sample)
        }
        try Self.appendRows(to: &samples, of: wanted, from: from, to: to, in: database)
        return samples
    }

    /// The newest samples, which are not in chunks yet.
    private static func appendRows(
        to samples: inout [SeriesID: [Sample]], of wanted: Set<SeriesID>, from: Timestamp, to: Timestamp,
        in database: Database
    ) throws {
        let rows = try PreparedStatement(
            "SELECT series_id, timestamp, value FROM sample WHERE timestamp >= ? AND timestamp < ?", on: database)
        rows.bind(from.milliseconds, at: 1)
        rows.bind(to.milliseconds, at: 2)
        // While samples are being sealed some are in both tables, and late ones may be in a chunk already.
        var mixed: Set<SeriesID> = []
        while try rows.step() {
            let id = SeriesID(rows.integer(0))
            guard wanted.contains(id) else { continue }
            let sample = Sample(timestamp: Timestamp(milliseconds: rows.integer(1)), value: rows.sampleValue(2))
            if let last = samples[id]?.last, last.timestamp >= sample.timestamp { mixed.insert(id) }
            samples[id, default: []].append(sample)
        }
        for id in mixed {
            guard let all = samples[id] else { continue }
            var sorted: [Sample] = []
            for sample in all.sorted(by: { $0.timestamp < $1.timestamp })
            where sorted.last?.timestamp != sample.timestamp { sorted.append(sample) }
            samples[id] = sorted
        }
    }
}

/// Walks the table `chunk`. Made for one read, used on its connection.
private struct ChunkRows {
    private let nextHour: PreparedStatement
    private let ofSeries: PreparedStatement
    private let ofAll: PreparedStatement
    private let seriesCount: Int

    init(_ database: Database) throws {
        let columns = "series_id, first, last, count, samples"
        nextHour = try PreparedStatement(
            "SELECT hour FROM chunk WHERE hour >= ? AND hour < ? ORDER BY hour LIMIT 1", on: database)
        ofSeries = try PreparedStatement(
            "SELECT \(columns) FROM chunk WHERE hour = ? AND series_id = ? ORDER BY first", on: database)
        ofAll = try PreparedStatement(
            "SELECT \(columns) FROM chunk WHERE hour = ? ORDER BY series_id, first", on: database)
        seriesCount = try Int.fetchOne(database, sql: "SELECT max(id) FROM series") ?? 0
    }

    func forEach(
        of wanted: Set<SeriesID>, from: Timestamp, to: Timestamp, _ body: (SeriesID, Sample) -> Void
    ) throws {
        var hour = Chunk.span.windowStart(of: from)
        while let next = try firstHour(from: hour, before: to) {
            // A look-up costs about as much as passing over eight neighbours.
            if wanted.count > seriesCount / 8 {
                ofAll.bind(next.milliseconds, at: 1)
                while try ofAll.step() {
                    if wanted.contains(SeriesID(ofAll.integer(0))) { try unpack(ofAll, from, to, body) }
                }
            } else {
                for id in wanted {
                    ofSeries.bind(next.milliseconds, at: 1)
                    ofSeries.bind(id.rawValue, at: 2)
                    while try ofSeries.step() { try unpack(ofSeries, from, to, body) }
                }
            }
            hour = next + .milliseconds(1)
        }
    }

    private func firstHour(from: Timestamp, before: Timestamp) throws -> Timestamp? {
        nextHour.bind(from.milliseconds, at: 1)
        nextHour.bind(before.milliseconds, at: 2)
        guard try nextHour.step() else { return nil }
        defer { nextHour.reset() }
        return Timestamp(milliseconds: nextHour.integer(0))
    }

    private func unpack(
        _ row: PreparedStatement, _ from: Timestamp, _ to: Timestamp, _ body: (SeriesID, Sample) -> Void
    ) throws {
        guard row.integer(1) < to.milliseconds, row.integer(2) >= from.milliseconds else { return }
        let id = SeriesID(row.integer(0))
        try row.withBytes(4) { bytes in
            try ChunkCodec.decode(bytes, count: Int(row.integer(3))) { sample in
                if sample.timestamp >= from, sample.timestamp < to { body(id, sample) }
            }
        }
    }
}
