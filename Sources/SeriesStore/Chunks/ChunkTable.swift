internal import Aggregation
internal import GRDB
internal import MetricModel

/// The table `chunk` for the writer: adds samples to the chunks of their series and hour. Owned by the
/// `SeriesWriter`, used on its connection only.
struct ChunkTable {
    /// A run of at least this many samples gets a chunk of its own; fewer are packed again together with the last.
    private static let ownChunkCount = 128

    private let findLast: PreparedStatement
    private let findFrom: PreparedStatement
    private let putRow: PreparedStatement
    private let delete: PreparedStatement
    /// No chunk is of a later hour than this.
    private var latestHour = Timestamp(milliseconds: .min)

    init(_ database: Database) throws {
        findLast = try PreparedStatement(
            """
            SELECT first, last, count, samples FROM chunk WHERE hour = ? AND series_id = ?
            ORDER BY first DESC LIMIT 1
            """, on: database)
        findFrom = try PreparedStatement(
            """
            SELECT first, last, count, samples FROM chunk WHERE hour = ? AND series_id = ? AND last >= ?
            ORDER BY first
            """, on: database)
        putRow = try PreparedStatement(
            """
            INSERT OR REPLACE INTO chunk (hour, series_id, first, last, count, samples) VALUES (?, ?, ?, ?, ?, ?)
            """, on: database)
        delete = try PreparedStatement(
            "DELETE FROM chunk WHERE hour = ? AND series_id = ? AND first = ?", on: database)
        try reload(database)
    }

    /// Reads again what is remembered, after a transaction that failed.
    mutating func reload(_ database: Database) throws {
        latestHour = Timestamp(
            milliseconds: try Int64.fetchOne(database, sql: "SELECT max(hour) FROM chunk") ?? .min)
    }

    /// Adds samples of one series, sorted, each timestamp once. Gives the timestamps that were there already; of those
    /// the stored samples stay.
    mutating func add(_ samples: ArraySlice<Sample>, to series: Int64) throws -> Set<Timestamp> {
        var known: Set<Timestamp> = []
        var rest = samples
        while let first = rest.first {
            let window = Chunk.span.window(containing: first.timestamp)
            // At the end of `Int64` a window holds its own end.
            let part = rest.prefix { $0.timestamp < window.end || window.end.milliseconds == .max }
            rest = rest.dropFirst(part.count)
            known.formUnion(try add(part, to: series, hour: window.start))
        }
        return known
    }

    private mutating func add(
        _ samples: ArraySlice<Sample>, to series: Int64, hour: Timestamp
    ) throws -> Set<Timestamp> {
        guard let first = samples.first else { return [] }
        guard hour <= latestHour, let newest = try last(of: series, hour) else {
            latestHour = max(latestHour, hour)
            try put(Chunk.pack(samples), series, hour)
            return []
        }
        if newest.last < first.timestamp {
            // The usual case: they continue the series.
            if samples.count >= Self.ownChunkCount || newest.count + samples.count > Chunk.maximumCount {
                try put(Chunk.pack(samples), series, hour)
            } else {
                try replace([newest], with: Self.unpack([newest]) + samples, series, hour)
            }
            return []
        }
        // Late ones: the chunks from the first that they touch are packed anew.
        let touched = try chunks(of: series, hour, from: first.timestamp)
        let (merged, known) = Self.merge(try Self.unpack(touched), samples)
        if known.count < samples.count { try replace(touched, with: merged, series, hour) }
        return known
    }

    private func last(of series: Int64, _ hour: Timestamp) throws -> Chunk? {
        findLast.bind(hour.milliseconds, at: 1)
        findLast.bind(series, at: 2)
        guard try findLast.step() else { return nil }
        defer { findLast.reset() }
        return Self.chunk(in: findLast)
    }

    /// The chunks that end at an instant or later, in order of time.
    private func chunks(of series: Int64, _ hour: Timestamp, from instant: Timestamp) throws -> [Chunk] {
        findFrom.bind(hour.milliseconds, at: 1)
        findFrom.bind(series, at: 2)
        findFrom.bind(instant.milliseconds, at: 3)
        var chunks: [Chunk] = []
        while try findFrom.step() { chunks.append(Self.chunk(in: findFrom)) }
        return chunks
    }

    private static func chunk(in row: PreparedStatement) -> Chunk {
        Chunk(
            first: Timestamp(milliseconds: row.integer(0)), last: Timestamp(milliseconds: row.integer(1)),
            count: Int(row.integer(2)), bytes: row.withBytes(3) { [UInt8]($0) })
    }

    private func put(_ chunks: [Chunk], _ series: Int64, _ hour: Timestamp) throws {
        for chunk in chunks {
            putRow.bind(hour.milliseconds, at: 1)
            putRow.bind(series, at: 2)
            putRow.bind(chunk.first.milliseconds, at: 3)
            putRow.bind(chunk.last.milliseconds, at: 4)
            putRow.bind(Int64(chunk.count), at: 5)
            putRow.bind(chunk.bytes, at: 6)
            try putRow.run()
        }
    }

    private func replace(_ chunks: [Chunk], with samples: [Sample], _ series: Int64, _ hour: Timestamp) throws {
        let packed = Chunk.pack(samples)
        // Mostly the first sample stays the first, and the row is overwritten.
        for chunk in chunks where !packed.contains(where: { $0.first == chunk.first }) {
            delete.bind(hour.milliseconds, at: 1)
            delete.bind(series, at: 2)
            delete.bind(chunk.first.milliseconds, at: 3)
            try delete.run()
        }
        try put(packed, series, hour)
    }

    private static func unpack(_ chunks: [Chunk]) throws -> [Sample] {
        var samples: [Sample] = []
        for chunk in chunks {
            try chunk.bytes.withUnsafeBytes { try ChunkCodec.decode($0, count: chunk.count) { samples.append($0) } }
        }
        return samples
    }

    /// Both in order of time. Where both have a timestamp the stored sample stays, and the timestamp is among `known`.
    private static func merge(
        _ stored: [Sample], _ samples: ArraySlice<Sample>
    ) -> (merged: [Sample], known: Set<Timestamp>) {
        var merged: [Sample] = []
        merged.reserveCapacity(stored.count + samples.count)
        var known: Set<Timestamp> = []
        var rest = stored[...]
        for sample in samples {
            let before = rest.prefix { $0.timestamp < sample.timestamp }
            merged.append(contentsOf: before)
            rest = rest.dropFirst(before.count)
            if rest.first?.timestamp == sample.timestamp {
                known.insert(sample.timestamp)
            } else {
                merged.append(sample)
            }
        }
        return (merged + rest, known)
    }
}
