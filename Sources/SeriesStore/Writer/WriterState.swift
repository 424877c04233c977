internal import Aggregation
internal import GRDB
internal import Glibc
internal import MetricModel

/// What a `SeriesWriter` guards with its lock: the connection, its tables, and what they remember between commits.
struct WriterState {
    let queue: DatabaseQueue
    private let lock: WriterLock
    private var leadership: Leadership
    private(set) var series: KnownSeries
    private var samples: SampleTables
    private var windows: WindowTables
    private var progress: ProgressTables
    private let alerts: AlertTable
    private var sealing: Sealing
    private var expiry: Expiry
    private let freePages: FreePages
    var rules: RuleEngine
    private let dataVersion: PreparedStatement
    /// The database's version at the last look: another one when another connection has written.
    private var seenVersion: Int64
    /// When another process was last seen to have written.
    private(set) var lastForeignWrite: ContinuousClock.Instant?
    /// A transaction failed, so what the tables remember may never have been stored.
    private var isDoubtful = false
    /// Another process may have led before, and `expiry` does not know how far that came.
    private var hasJustBegunToLead = false

    init(path: String, configuration: SeriesWriter.Configuration, lock: WriterLock) throws {
        self.lock = lock
        leadership = try Leadership(databasePath: path)
        let queue = try DatabaseQueue(path: path, configuration: .writing(configuration))
        self.queue = queue
        // All of one committed state; whatever is written after it changes the version.
        (seenVersion, dataVersion, series, samples, windows, progress, alerts, expiry, freePages) = try queue.inSnapshot
        {
            database in
            let dataVersion = try PreparedStatement("PRAGMA data_version", on: database)
            return (
                try SeriesTables.singleInteger(dataVersion) ?? 0, dataVersion, try KnownSeries(configuration, database),
                try SampleTables(database), try WindowTables(database),
                try ProgressTables(database), try AlertTable(database), try Expiry(database), try FreePages(database)
            )
        }
        sealing = Sealing(age: configuration.sealAge)
        rules = try queue.inSnapshot {
            try RuleEngine(configuration.rules, memberPatience: configuration.memberPatience, $0)
        }
        try findRules(until: .now + configuration.openingPatience)
    }

    /// Installs the rules, or sees whether they are those of the process that leads, which may be about to install them.
    private mutating func findRules(until deadline: ContinuousClock.Instant) throws {
        while true {
            do {
                _ = leads()
                return try transaction { _ in }
            } catch let error as ForeignRules {
                guard ContinuousClock.now < deadline else { throw error }
                var pause = timespec(tv_sec: 0, tv_nsec: 50_000_000)
                nanosleep(&pause, nil)
            }
        }
    }

    mutating func commit(_ head: Head, eventTime: Timestamp?, now: Timestamp) throws -> CommitReport {
        let clock = ContinuousClock()
        let start = clock.now
        var report = CommitReport()
        try transaction { state in
            // First, for nothing has been touched yet.
            try state.series.checkReferences()
            try state.progress.check(head)
            state.series.forget(head.forgottenSeries)
            state.series.define(head.newSeries)
            var runs = try SeriesRuns(head, &state.series, now: now)
            try state.windows.catchUp(now: now)
            if let border = state.samples.backlogBorder(of: runs, now: now) { try state.seal(before: border) }
            try state.samples.store(&runs)
            for run in runs.runs {
                try state.series.stored(runs.entries[run.range.upperBound - 1].timestamp, of: run.reference)
            }
            report.storedSamples = runs.keptCount
            report.duplicateSamples = runs.duplicateCount
            report.duplicatesBySeries = runs.duplicates
            report.expiredSamples = runs.expiredCount
            report.refusedSamples = runs.refusedCount
            report.writtenWindows = try state.windows.add(runs)
            (report.newSeries, report.overflow, report.unstoredSeries) = try state.series.finish()
            try state.progress.store(head)
            try state.alerts.store(head.alerts)
            try state.rules.store(runs, eventTime: eventTime, retentions: state.series.retentions, now: now)
        }
        progress.didCommit(head)
        report.duration = clock.now - start
        report.seriesDuration = series.settlingDuration
        return report
    }

    /// Settles minutes that are over, then seals. Gives whether there is more to do.
    mutating func seal(now: Timestamp) throws -> Bool {
        guard leads() else { return false }
        let isShared = isShared
        var isMore = false
        try transaction { state in
            isMore = try state.windows.settle(now: now, isShared: isShared)
            if !isMore {
                isMore = try state.sealing.step(&state.samples, now: now, settledBefore: state.windows.settled.before)
            }
        }
        return isMore
    }

    /// Moves the border of sealed samples on, and before it that of settled ones.
    private mutating func seal(before instant: Timestamp) throws {
        try windows.settleAll(before: instant)
        try samples.seal(before: instant)
    }

    /// Whether another process has written in the last seconds.
    var isShared: Bool { lastForeignWrite.map { .now - $0 < .seconds(10) } ?? false }

    /// Gives whether there is more to delete, or space to give back.
    mutating func expire(now: Timestamp) throws -> Bool {
        guard leads() else { return false }
        let isShared = isShared
        var isMore = false
        try transaction { state in
            // What is not counted yet stays.
            isMore = try state.windows.settle(now: now, isShared: isShared)
            if isMore { return }
            isMore = try state.expiry.step(&state.series, now: now, settledBefore: state.windows.settled.before)
            if isMore { try state.samples.lookForUnsealed() }
        }
        return try isMore || queue.writeWithoutTransaction { _ in try freePages.giveBack() }
    }

    /// Whether this process looks after the database; tries to become the one that does.
    mutating func leads() -> Bool {
        if leadership.begins() { hasJustBegunToLead = true }
        return leadership.isHeld
    }

    mutating func transaction(_ body: (inout WriterState) throws -> Void) throws {
        var hasBegun = false
        do {
            try queue.writeWithoutTransaction { database in
                try database.inTransaction(.immediate) {
                    hasBegun = true
                    series.begin()
                    rules.begin()
                    let isForeign = try catchUp(database)
                    try rules.catchUp(leads: leadership.isHeld, isForeign: isForeign, database)
                    try body(&self)
                    return .commit
                }
            }
        } catch {
            if hasBegun { rules.rollBack() }
            // What says that others were first says so before anything is changed; and where nothing has begun, nothing is.
            if hasBegun, !(error is Superseded) {
                series.rollBack()
                progress.forget()
                isDoubtful = true
            }
            throw error
        }
        rules.didCommit()
    }

    /// Learns what other processes have written since the last transaction, and after a failure everything. Part of a
    /// transaction; gives whether there is anything.
    private mutating func catchUp(_ database: Database) throws -> Bool {
        let version = try SeriesTables.singleInteger(dataVersion) ?? 0
        let isForeign = version != seenVersion
        if isForeign || isDoubtful {
            try series.catchUp(database, isDoubtful: isDoubtful)
            try samples.reload(database)
            try windows.reload(database)
            progress.forget()
        }
        if isDoubtful || hasJustBegunToLead {
            try expiry.reload(database)
            sealing.reset()
        }
        if isForeign { lastForeignWrite = .now }
        let isAny = isForeign || isDoubtful
        (seenVersion, isDoubtful, hasJustBegunToLead) = (version, false, false)
        return isAny
    }
}

extension DatabaseQueue {
    /// Reads one committed state, whatever is written meanwhile, and hinders nobody.
    func inSnapshot<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try writeWithoutTransaction { database in
            var value: Value?
            try database.inTransaction(.deferred) {
                value = try body(database)
                return .commit
            }
            guard let value else { preconditionFailure("a committed transaction has run its body") }
            return value
        }
    }
}
