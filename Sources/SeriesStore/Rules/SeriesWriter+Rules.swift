internal import Aggregation
internal import GRDB
public import MetricModel

/// Windows of rules: noted by commits, evaluated between them, emitted from the outbox.
extension SeriesWriter {
    /// What is stored of a window's result in one transaction: some ten milliseconds' work.
    private static let recordsPerTransaction = 2000

    /// By which readers of what is emitted know this database, a UUID as text.
    public func identity() throws(StoreError) -> String {
        try withState { state in try state.queue.unsafeRead(OutboxTable.identity) }
    }

    /// Event time has come so far though there was nothing to commit; nil when it is not known here. To be called now and
    /// then, also for what other processes have stored.
    public func advance(to eventTime: Timestamp?, now: Timestamp = .now()) throws(StoreError) {
        try withState { state in
            _ = state.leads()
            try state.transaction { state in
                try state.rules.advance(to: eventTime, retentions: state.series.retentions, now: now)
            }
        }
    }

    /// The windows that have to be evaluated now: up to `limit` of one rule, the oldest first. Nil when there is none.
    public func dueWindows(limit: Int) throws(StoreError) -> RuleWork? {
        try withState { state in state.rules.work(limit: limit) }
    }

    /// Stores a window's result: in the outbox, if it is a new one, and that the window is closed. A large one takes several
    /// transactions; when this throws, or the process ends in between, the window is still due and all of it is emitted
    /// with the next revision.
    ///
    /// Gives the revision; nil when nothing is emitted.
    func store(_ evaluated: EvaluatedWindow) throws(StoreError) -> Int? {
        var revision: Int?
        var first = 0
        repeat {
            let part = first..<min(first + Self.recordsPerTransaction, evaluated.records.count)
            let known = revision
            revision = try withState { state in
                var outcome: WindowLedger.Outcome?
                try state.transaction { state in
                    outcome = try state.rules.store(evaluated, part: part, revision: known)
                }
                if let outcome { state.rules.settle(outcome, of: evaluated, isFirst: part.lowerBound == 0) }
                return known ?? outcome?.revision
            }
            first = part.upperBound
        } while revision != nil && first < evaluated.records.count
        return revision
    }

    /// What waits to be emitted: the first `limit` records, in the order in which they have to be.
    public func emissions(limit: Int) throws(StoreError) -> [Emission] {
        try withState { state in try state.rules.emissions(limit: limit) }
    }

    /// The cluster has these; they are not given again.
    public func emitted(_ ids: [Emission.ID]) throws(StoreError) {
        try withState { state in try state.transaction { state in try state.rules.emitted(ids) } }
    }

    /// How many records wait to be emitted.
    public var outboxCount: Int {
        get throws(StoreError) { try withState { state in state.rules.outboxCount } }
    }

    /// By the rules' names; empty where another process leads.
    public func ruleStatistics() throws(StoreError) -> [String: RuleStatistics] {
        try withState { state in state.rules.statistics }
    }
}
