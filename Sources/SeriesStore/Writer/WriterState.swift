internal import Aggregation
internal import GRDB
internal import MetricModel

/// What a `SeriesWriter` guards with its lock: the connection, its tables, and what they remember between commits.
struct WriterState {
    let queue: DatabaseQueue
    private let lock: WriterLock
    private var series: SeriesTables
    private var samples: SampleTables
    private var windows: [WindowTable]
    private var progress: ProgressTables
    private var sealing: Sealing
    /// A transaction failed, so what the tables remember may never have been stored.
    private var isDoubtful = false

    init(path: String, configuration: SeriesWriter.Configuration, lock: WriterLock) throws {
        self.lock = lock
        let queue = try DatabaseQueue(path: path, configuration: .writing(configuration))
        try Schema.migrate(queue)
        self.queue = queue
        (series, samples, windows, progress) = try queue.writeWithoutTransaction { database in
            (
                try SeriesTables(database), try SampleTables(database),
                try Resolution.allCases.map { try WindowTable($0, database) }, try ProgressTables(database)
            )
        }
        sealing = Sealing(age: configuration.sealAge)
    }

    mutating func commit(_ head: Head) throws -> CommitReport {
        let clock = ContinuousClock()
        let start = clock.now
        var report = CommitReport()
        do {
            try transaction { state in
                report.newSeries = try state.series.resolve(head.newSeries)
                var runs = SeriesRuns(head, ids: state.series)
                try state.samples.store(&runs, now: .now())
                report.storedSamples = runs.keptCount
                report.duplicateSamples = runs.droppedCount
                report.duplicatesBySeries = runs.droppedBySeries
                report.writtenWindows = try state.mergeWindows(runs)
                try state.progress.store(offsets: head.offsets)
                try state.progress.store(sequences: head.sequences)
            }
        } catch {
            series.forget(head.newSeries)
            throw error
        }
        progress.didCommit(sequences: head.sequences)
        report.duration = clock.now - start
        return report
    }

    /// Gives whether there is more to seal.
    mutating func seal() throws -> Bool {
        var isMore = false
        try transaction { state in isMore = try state.sealing.step(&state.samples, now: .now()) }
        return isMore
    }

    private mutating func transaction(_ body: (inout WriterState) throws -> Void) throws {
        do {
            try queue.writeWithoutTransaction { database in
                if isDoubtful { try reload(database) }
                try database.inTransaction(.immediate) {
                    try body(&self)
                    return .commit
                }
            }
        } catch {
            isDoubtful = true
            throw error
        }
    }

    private mutating func reload(_ database: Database) throws {
        try samples.reload(database)
        for index in windows.indices { try windows[index].reload(database) }
        sealing.reset()
        isDoubtful = false
    }

    /// Gives how many rows were written.
    private mutating func mergeWindows(_ runs: SeriesRuns) throws -> Int {
        var written = 0
        for table in windows.indices {
            var parts = WindowParts(windows[table].resolution)
            for run in runs.runs {
                for index in run.range where runs.isKept(index) {
                    let entry = runs.entries[index]
                    if entry.value.isStalenessMarker { continue }
                    parts.add(Sample(timestamp: entry.timestamp, value: entry.value), of: run.series)
                }
            }
            let finished = parts.finish()
            try windows[table].merge(finished)
            written += finished.count
        }
        return written
    }
}
