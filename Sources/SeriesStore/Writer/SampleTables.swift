internal import GRDB
internal import MetricModel

/// Where samples go: new ones as rows into `sample`, old ones into the chunk of their series and hour.
///
/// The border between the two, `sealedBefore`, only moves on. What is before it goes into chunks. Rows before it that
/// are not packed yet are the sealing's work (`Sealing`); until then a sample may be in both tables, with one value.
/// Owned by the `SeriesWriter`, used on its connection only.
struct SampleTables {
    /// From this many samples a series on, a head goes straight into chunks, as when a backlog is read.
    private static let backlogRun = 8

    let rows: SampleTable
    var chunks: ChunkTable
    private let putSealedBefore: PreparedStatement
    private(set) var sealedBefore = Timestamp(milliseconds: .min)
    /// The newest row that is before `sealedBefore`; nil when there is none.
    private var newestUnsealed: Timestamp?

    init(_ database: Database) throws {
        rows = try SampleTable(database)
        chunks = try ChunkTable(database)
        putSealedBefore = try PreparedStatement("UPDATE sealing SET sealed_before = ?", on: database)
        try reload(database)
    }

    /// Reads again what is remembered, after a transaction that failed.
    mutating func reload(_ database: Database) throws {
        try chunks.reload(database)
        sealedBefore = Timestamp(
            milliseconds: try Int64.fetchOne(database, sql: "SELECT sealed_before FROM sealing") ?? .min)
        try lookForUnsealed()
    }

    /// Whether rows wait that belong into chunks.
    var hasUnsealedRows: Bool { newestUnsealed != nil }

    /// Moves the border on, no further than samples are settled (`WindowTables`). Part of a transaction.
    mutating func seal(before instant: Timestamp) throws {
        guard instant > sealedBefore else { return }
        putSealedBefore.bind(instant.milliseconds, at: 1)
        try putSealedBefore.run()
        sealedBefore = instant
        try lookForUnsealed()
    }

    /// Sees which rows are before the border, after some of them went.
    mutating func lookForUnsealed() throws {
        guard let range = try rows.range(), range.lowerBound < sealedBefore else {
            newestUnsealed = nil
            return
        }
        newestUnsealed = min(range.upperBound, sealedBefore)
    }

    /// Where the border goes before these samples are stored, when they are a backlog; nil when they are not.
    func backlogBorder(of runs: SeriesRuns, now: Timestamp) -> Timestamp? {
        runs.averageCount < Self.backlogRun ? nil : min(runs.newestTimestamp, now) + .milliseconds(1)
    }

    /// Stores samples, and drops those that were there before from `runs`. Part of a transaction.
    mutating func store(_ runs: inout SeriesRuns) throws {
        var rowCount = 0
        for run in runs.runs {
            let border = run.range.first { runs.entries[$0].timestamp >= sealedBefore } ?? run.range.upperBound
            rowCount += run.range.upperBound - border
            if border > run.range.lowerBound {
                try storeInChunks(run.range.lowerBound..<border, of: run.series, &runs)
            }
        }
        if rowCount > 0 { try storeRows(&runs) }
    }

    /// In the order of arrival, which is about that of the table.
    private func storeRows(_ runs: inout SeriesRuns) throws {
        var series = [Int64](repeating: 0, count: runs.entries.count)
        for run in runs.runs { for index in run.range { series[index] = run.series } }
        for index in runs.inOrderOfArrival().lazy.map(Int.init) where runs.isKept(index) {
            let entry = runs.entries[index]
            guard entry.timestamp >= sealedBefore else { continue }
            if try !rows.store(series[index], entry.timestamp, entry.value) { runs.drop(index) }
        }
    }

    private mutating func storeInChunks(_ range: Range<Int>, of series: Int64, _ runs: inout SeriesRuns) throws {
        let known = try storeInChunks(runs.samples(range)[...], of: series)
        if known.isEmpty { return }
        for index in range where known.contains(runs.entries[index].timestamp) { runs.drop(index) }
    }

    /// Gives the timestamps that were there before.
    private mutating func storeInChunks(_ samples: ArraySlice<Sample>, of series: Int64) throws -> Set<Timestamp> {
        guard let newestUnsealed, let first = samples.first, first.timestamp <= newestUnsealed else {
            return try chunks.add(samples, to: series)
        }
        var known: Set<Timestamp> = []
        for sample in samples where sample.timestamp <= newestUnsealed {
            if try rows.contains(series, sample.timestamp) { known.insert(sample.timestamp) }
        }
        let unknown = samples.filter { !known.contains($0.timestamp) }
        return known.union(try chunks.add(unknown[...], to: series))
    }
}
