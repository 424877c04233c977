internal import Aggregation
internal import GRDB
internal import MetricModel

/// The rules of a database: notes which windows samples fall into, says which are due, and keeps what is to be emitted.
///
/// What it stores is part of the transactions that store samples and results, so a window is due until its result is in the
/// outbox, whatever is killed when. Where several processes write to a database, one of them leads: it has the ledgers. The
/// others leave notes of what they stored, and how far event time has come with them.
///
/// Owned by the `SeriesWriter`, used on its connection only.
struct RuleEngine {
    /// Windows are forgotten this long before the first of their samples goes: one may just be evaluated.
    private static let forgettingMargin = Duration.seconds(60)

    private struct State {
        let rule: AggregationRule
        /// In the table `rule`.
        let id: Int64
        var ledger: WindowLedger
        var statistics = RuleStatistics()
        /// The retentions of the rule's series.
        var retentions: Set<Int64> = []
    }

    let rules: [AggregationRule]
    /// Whether this process has the ledgers.
    private(set) var isLeading = false
    /// It took them over in the transaction under way.
    private var hasJustBegunToLead = false
    private let member: String
    /// A process whose event time was not written for this long does not count any more.
    private let memberPatience: Duration
    private let tables: RuleTables
    private var outbox: OutboxTable
    private var series: RuleSeries
    /// The numbers of the rules, in their order; nil until they are known.
    private var ids: [Int64]?
    /// In the order of the rules; empty unless this process leads.
    private var states: [State] = []
    /// How far event time has come in this process, and when that was said.
    private var own: (eventTime: Timestamp, at: Timestamp)?
    /// What the transaction under way began with, or has taken.
    private var taken: [WindowLedger.Changes] = []
    private var before: (sequences: [String: Int64], count: Int) = ([:], 0)
    private var arrivals: [(late: Int64, tooOld: Int64)] = []

    init(_ rules: [AggregationRule], memberPatience: Duration, _ database: Database) throws {
        self.rules = rules
        self.memberPatience = memberPatience
        member = "\(UInt64.random(in: .min ... .max))"
        tables = try RuleTables(database)
        outbox = try OutboxTable(database)
        series = try RuleSeries(rules, database)
    }

    /// Takes over the ledgers if this process leads, and else sees that the rules are those of the one that does. Part of each
    /// transaction, right after `begin`.
    ///
    /// - Parameter isForeign: another process may have written.
    /// - Throws: `ForeignRules` where another process leads with other rules.
    mutating func catchUp(leads: Bool, isForeign: Bool, _ database: Database) throws {
        if leads {
            if !isLeading { try lead(database) }
        } else if ids == nil || isForeign {
            guard let numbers = try RuleTables.numbers(of: rules, database) else { throw ForeignRules() }
            ids = numbers
        }
    }

    private mutating func lead(_ database: Database) throws {
        let numbers = try RuleTables.install(rules, database)
        try outbox.begin(now: .now(), database)
        try outbox.reload(database)
        try tables.forgetEventTimes(before: .now() - memberPatience)
        try tables.forgetEventTime(of: member)
        states = try zip(rules, numbers).map { rule, id in
            State(rule: rule, id: id, ledger: try RuleTables.ledger(of: rule, id, database))
        }
        arrivals = Array(repeating: (0, 0), count: states.count)
        ids = numbers
        (isLeading, hasJustBegunToLead) = (true, true)
    }

    // MARK: Samples come

    mutating func begin() {
        series.begin()
        hasJustBegunToLead = false
        taken = []
        before = (outbox.sequences, outbox.count)
        arrivals = Array(repeating: (0, 0), count: states.count)
    }

    /// Samples are stored, and event time has come so far. Part of the transaction that stores them.
    mutating func store(
        _ runs: SeriesRuns, eventTime: Timestamp?, retentions: RetentionTable, now: Timestamp
    ) throws {
        guard !rules.isEmpty else { return }
        if let eventTime { own = (eventTime, now) }
        for run in runs.runs {
            let (rules, retention) = try series.rules(of: run.series)
            for rule in rules {
                if isLeading {
                    observe(run, of: runs, rule)
                    states[rule].retentions.insert(retention)
                } else {
                    try note(run, of: runs, rule)
                }
            }
        }
        if isLeading {
            try takeNotes()
            try advance(retentions: retentions, now: now)
            try storeChanges()
        } else if let eventTime {
            try tables.store(eventTime: eventTime, of: member, now: now)
        }
    }

    private mutating func observe(_ run: SeriesRuns.Run, of runs: SeriesRuns, _ rule: Int) {
        for index in run.range where runs.isKept(index) && !runs.entries[index].value.isStalenessMarker {
            switch states[rule].ledger.observe(runs.entries[index].timestamp) {
            case .onTime, .tooFarAhead: break
            case .late: arrivals[rule].late += 1
            case .tooOld: arrivals[rule].tooOld += 1
            }
        }
    }

    /// For the process that leads: one note for all samples of the same windows.
    private mutating func note(_ run: SeriesRuns.Run, of runs: SeriesRuns, _ rule: Int) throws {
        guard let id = ids?[rule] else { return }
        let specification = rules[rule].windows
        var noted: Timestamp?
        for index in run.range where runs.isKept(index) && !runs.entries[index].value.isStalenessMarker {
            // The last instant that is in the same windows: what follows them is reached from there, too.
            let start = specification.lastStart(at: runs.entries[index].timestamp)
            if start == noted { continue }
            noted = start
            try tables.note(start + specification.every - .milliseconds(1), of: id)
        }
    }

    private mutating func takeNotes() throws {
        try tables.takeNotes { id, time in
            guard let rule = ids?.firstIndex(of: id) else { return }
            switch states[rule].ledger.observe(time) {
            case .onTime, .tooFarAhead: break
            case .late: arrivals[rule].late += 1
            case .tooOld: arrivals[rule].tooOld += 1
            }
        }
    }

    // MARK: Event time goes on

    /// Event time has come so far though nothing was stored. Part of a transaction.
    mutating func advance(to eventTime: Timestamp?, retentions: RetentionTable, now: Timestamp) throws {
        guard !rules.isEmpty else { return }
        if let eventTime { own = (eventTime, now) }
        guard isLeading else {
            if let eventTime { try tables.store(eventTime: eventTime, of: member, now: now) }
            return
        }
        try takeNotes()
        try advance(retentions: retentions, now: now)
        // Event time alone is not worth a transaction that writes.
        if states.contains(where: \.ledger.hasUnsavedWindows) { try storeChanges() }
    }

    private mutating func advance(retentions: RetentionTable, now: Timestamp) throws {
        let since = now - memberPatience
        let others = try tables.eventTime(ofOthersThan: member, since: since)
        let own = own.flatMap { $0.at >= since ? $0.eventTime : nil }
        guard let eventTime = [own, others].compactMap(\.self).min() else { return }
        for index in states.indices {
            states[index].ledger.move(to: eventTime)
            forget(index, retentions, now)
        }
    }

    /// Windows are not evaluated any more once a sample that they are made of may have been deleted.
    private mutating func forget(_ index: Int, _ retentions: RetentionTable, _ now: Timestamp) {
        let (rule, own) = (states[index].rule, states[index].retentions)
        let firstTaken = retentions.entries.lazy.filter { own.contains($0.id) }.map {
            $0.firstTaken(now: now)
        }.max()
        guard let firstTaken, firstTaken.milliseconds > .min else { return }
        let specification = rule.windows
        states[index].ledger.forget(
            before: specification.lastStart(at: firstTaken + rule.reach + Self.forgettingMargin)
                + specification.every)
    }

    private mutating func storeChanges() throws {
        for index in states.indices {
            let changes = states[index].ledger.takeChanges()
            taken.append(changes)
            if !changes.isEmpty { try tables.store(changes, of: states[index].id) }
        }
    }

    /// This process ends: nobody is to wait for it. Part of a transaction.
    func leave() throws {
        if own != nil, !isLeading { try tables.forgetEventTime(of: member) }
    }

    // MARK: Windows are evaluated

    /// The rule whose oldest due window ends first, and up to `limit` of its windows; nil when none is due, or so much waits
    /// to be emitted that more has to wait.
    func work(limit: Int) -> RuleWork? {
        let due = states.indices.compactMap { index -> RuleWork? in
            let windows = states[index].ledger.dueWindows
            return windows.isEmpty ? nil : RuleWork(rule: index, due: Array(windows.prefix(limit)))
        }
        return due.min { $0.due[0].window.end < $1.due[0].window.end }
    }

    /// Stores a part of a window's result: what of it is `part`. Part of a transaction; gives what to settle when that is
    /// done.
    mutating func store(
        _ evaluated: EvaluatedWindow, part: Range<Int>, revision: Int?
    ) throws -> WindowLedger.Outcome? {
        let (isFirst, isLast) = (part.lowerBound == 0, part.upperBound == evaluated.records.count)
        let state = states[evaluated.rule]
        let outcome =
            isFirst
            ? state.ledger.outcome(of: evaluated.due, digest: evaluated.digest, isPartial: !isLast)
            : isLast ? state.ledger.completion(of: evaluated.due) : nil
        if let outcome { try tables.store(outcome.window, of: state.id) }
        guard let revision = revision ?? outcome?.revision else { return outcome }
        for record in evaluated.records[part] {
            try outbox.append(record, of: state.rule, evaluated.due.window, revision: revision)
        }
        return outcome
    }

    /// What `store` gave is in the database.
    mutating func settle(_ outcome: WindowLedger.Outcome, of evaluated: EvaluatedWindow, isFirst: Bool) {
        states[evaluated.rule].ledger.settle(outcome)
        guard isFirst, let revision = outcome.revision else { return }
        if revision == 1 {
            states[evaluated.rule].statistics.emittedWindows += 1
        } else {
            states[evaluated.rule].statistics.revisedWindows += 1
        }
    }

    // MARK: Emission

    /// None where another process leads, which sees to them.
    func emissions(limit: Int) throws -> [Emission] {
        isLeading ? try outbox.records(limit: limit) : []
    }

    /// The cluster has these. Part of a transaction.
    mutating func emitted(_ ids: [Emission.ID]) throws {
        try outbox.remove(ids)
    }

    /// Records that wait to be emitted.
    var outboxCount: Int { outbox.count }

    // MARK: Transactions

    mutating func didCommit() {
        for (index, arrival) in arrivals.enumerated() {
            states[index].statistics.lateSamples += arrival.late
            states[index].statistics.tooOldSamples += arrival.tooOld
        }
        (taken, arrivals) = ([], [])
    }

    /// The transaction under way has failed. Windows that it found samples for stay dirty, which costs an evaluation.
    mutating func rollBack() {
        for (index, changes) in taken.enumerated() { states[index].ledger.putBack(changes) }
        (taken, arrivals) = ([], [])
        (outbox.sequences, outbox.count) = before
        series.rollBack()
        guard hasJustBegunToLead else { return }
        // Neither are the ledgers this process's.
        (isLeading, hasJustBegunToLead, ids, states) = (false, false, nil, [])
    }

    /// By the rules' names.
    var statistics: [String: RuleStatistics] {
        states.reduce(into: [:]) { all, state in
            var statistics = state.statistics
            let windows = state.ledger.windows
            statistics.closedWindows = windows.count { $0.isClosed }
            statistics.openWindows = windows.count - statistics.closedWindows
            statistics.dueWindows = state.ledger.dueWindows.count
            statistics.abandonedWindows = state.ledger.abandonedCount
            all[state.rule.name] = statistics
        }
    }
}

/// Another process leads, and has other rules.
struct ForeignRules: Error {}
