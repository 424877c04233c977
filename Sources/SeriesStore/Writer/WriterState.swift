internal import Aggregation
internal import GRDB
internal import MetricModel

/// What a `SeriesWriter` guards with its lock: the connection, its tables, and what they remember between commits.
struct WriterState {
    let queue: DatabaseQueue
    private let lock: WriterLock
    private(set) var series: KnownSeries
    private var samples: SampleTables
    private var windows: [WindowTable]
    private var progress: ProgressTables
    private var sealing: Sealing
    private var expiry: Expiry
    private let freePages: FreePages
    var rules: RuleEngine
    /// A transaction failed, so what the tables remember may never have been stored.
    private var isDoubtful = false

    init(path: String, configuration: SeriesWriter.Configuration, lock: WriterLock) throws {
        self.lock = lock
        let queue = try DatabaseQueue(path: path, configuration: .writing(configuration))
        try Schema.migrate(queue)
        self.queue = queue
        series = try queue.write { try KnownSeries(configuration, $0) }
        (samples, windows, progress, expiry, freePages) = try queue.writeWithoutTransaction { database in
            (
                try SampleTables(database), try Resolution.allCases.map { try WindowTable($0, database) },
                try ProgressTables(database), try Expiry(database), try FreePages(database)
            )
        }
        sealing = Sealing(age: configuration.sealAge)
        rules = try queue.write { try RuleEngine(configuration.rules, leads: true, now: .now(), $0) }
    }

    mutating func commit(_ head: Head, eventTime: Timestamp?, now: Timestamp) throws -> CommitReport {
        let clock = ContinuousClock()
        let start = clock.now
        var report = CommitReport()
        do {
            try transaction { state in
                state.series.begin(head.newSeries)
                var runs = try SeriesRuns(head, &state.series, now: now)
                try state.samples.store(&runs, now: now)
                for run in runs.runs {
                    try state.series.stored(runs.entries[run.range.upperBound - 1].timestamp, of: run.reference)
                }
                report.storedSamples = runs.keptCount
                report.duplicateSamples = runs.duplicateCount
                report.duplicatesBySeries = runs.duplicates
                report.expiredSamples = runs.expiredCount
                report.refusedSamples = runs.refusedCount
                report.writtenWindows = try state.mergeWindows(runs)
                (report.newSeries, report.overflow) = try state.series.finish()
                try state.progress.store(offsets: head.offsets)
                try state.progress.store(sequences: head.sequences)
                try state.rules.store(runs, eventTime: eventTime, retentions: state.series.retentions, now: now)
            }
        } catch {
            series.rollBack()
            throw error
        }
        progress.didCommit(sequences: head.sequences)
        report.duration = clock.now - start
        return report
    }

    /// Gives whether there is more to seal.
    mutating func seal(now: Timestamp) throws -> Bool {
        var isMore = false
        try transaction { state in isMore = try state.sealing.step(&state.samples, now: now) }
        return isMore
    }

    /// Gives whether there is more to delete, or space to give back.
    mutating func expire(now: Timestamp) throws -> Bool {
        var isMore = false
        try transaction { state in
            isMore = try state.expiry.step(&state.series, now: now)
            if isMore { try state.samples.lookForUnsealed() }
        }
        return try isMore || queue.writeWithoutTransaction { _ in try freePages.giveBack() }
    }

    mutating func transaction(_ body: (inout WriterState) throws -> Void) throws {
        rules.begin()
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
            rules.rollBack()
            throw error
        }
        rules.didCommit()
    }

    private mutating func reload(_ database: Database) throws {
        try series.reload(database)
        try expiry.reload(database)
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
