internal import MetricModel

/// Moves old rows of `sample` into chunks, in steps that are short enough to go between two commits.
///
/// A pass takes the rows before an instant: it moves the border there (from then on late samples go into chunks
/// themselves), packs the rows series by series, and deletes them when all are packed. Whatever is killed in between,
/// a later pass packs the same rows again, and what is there already stays as it is. Owned by the `SeriesWriter`.
struct Sealing {
    /// Rows this much older than the newest are sealed...
    private let age: Duration
    /// ...when there are some twice as old: passes are rare, and take a good run of each series.
    private var patience: Duration { age * 2 }
    /// What a pass takes at most, so that it fits in memory and is read quickly.
    private static let maximumRows = 100_000
    /// What a step packs or deletes at most.
    private static let stepRows = 4000

    private struct Pass {
        let before: Timestamp
        /// Sorted by series and time.
        var rows: ArraySlice<SampleTable.Stored>
    }

    private var pass: Pass?

    init(age: Duration) {
        self.age = age
    }

    /// Does one step, as part of a transaction. Gives whether there is more to do.
    ///
    /// - Parameter settledBefore: samples from here on are in no window yet, and stay rows.
    mutating func step(_ tables: inout SampleTables, now: Timestamp, settledBefore: Timestamp) throws -> Bool {
        guard var pass else {
            self.pass = try begin(&tables, now: now, settledBefore: settledBefore)
            return self.pass != nil
        }
        if !pass.rows.isEmpty {
            try Self.pack(&pass.rows, into: &tables.chunks)
            self.pass = pass
            return true
        }
        if try Self.delete(before: pass.before, from: tables.rows) {
            try tables.lookForUnsealed()
            self.pass = nil
        }
        return true
    }

    /// The transaction of the last step failed, so the pass begins anew.
    mutating func reset() {
        pass = nil
    }

    private func begin(
        _ tables: inout SampleTables, now: Timestamp, settledBefore: Timestamp
    ) throws -> Pass? {
        guard let range = try tables.rows.range() else { return nil }
        var limit = tables.sealedBefore
        if !tables.hasUnsealedRows {
            // A clock that is ahead does not seal what is still to come.
            let newest = min(range.upperBound, now)
            guard newest - range.lowerBound > patience else { return nil }
            limit = min(newest - age, settledBefore)
            guard range.lowerBound < limit else { return nil }
        }
        let before = try tables.rows.instant(leavingAtMost: Self.maximumRows, before: limit)
        try tables.seal(before: before)
        var rows = try tables.rows.rows(before: before)
        rows.sort { ($0.series, $0.sample.timestamp) < ($1.series, $1.sample.timestamp) }
        return Pass(before: before, rows: rows[...])
    }

    private static func pack(_ rows: inout ArraySlice<SampleTable.Stored>, into chunks: inout ChunkTable) throws {
        var count = 0
        while count < stepRows, let first = rows.first {
            let run = rows.prefix { $0.series == first.series }
            rows = rows.dropFirst(run.count)
            count += run.count
            _ = try chunks.add(run.map(\.sample)[...], to: first.series)
        }
    }

    /// Whether all are gone.
    private static func delete(before instant: Timestamp, from table: SampleTable) throws -> Bool {
        let part = try table.instant(leavingAtMost: stepRows, before: instant)
        try table.delete(before: part)
        return part == instant
    }
}
