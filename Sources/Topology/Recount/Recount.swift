internal import FoundationEssentials
internal import MetricModel
internal import SeriesStore

/// What one subscriber's database holds of what was published for it, counted sample by sample from the ledgers.
struct Recount: Sendable {
    var subscriber: String
    var expected = 0
    var stored = 0
    /// Published for it, and not in its database.
    var lost = 0
    /// In its database, and not in any ledger.
    var unexpected = 0
    /// Counted more often or less often in windows than they are stored.
    var countedWrong = 0
    /// ``lost`` by when they were to be collected, in order of time.
    var lostAt: [(time: Int64, samples: Int)] = []
    /// ``expected`` by when they were to be collected, in milliseconds since 1970.
    var expectedAt: [Int64: Int] = [:]

    /// The samples that are lost of those that were to be collected from `from` on and before `to`, in milliseconds.
    func lost(from: Int64, to: Int64) -> Int {
        lostAt.reduce(0) { $0 + ($1.time >= from && $1.time < to ? $1.samples : 0) }
    }

    /// The samples that were published for it of those that were to be collected from `from` on and before `to`.
    func expected(from: Int64, to: Int64) -> Int {
        expectedAt.reduce(0) { $0 + ($1.key >= from && $1.key < to ? $1.value : 0) }
    }

    /// Compares a subscriber's database with what the ledgers say it should hold. Blocks on the disk.
    ///
    /// - Throws: ``LedgerError``, ``ProcessError``, `StoreError`.
    init(
        subscriber: String, database: String, expectations: [StageRun.Expectation],
        from beginning: Timestamp = Timestamp(milliseconds: 0)
    ) throws {
        self.subscriber = subscriber
        let counts = try StoredCounts(database: database, from: beginning)
        stored = counts.total
        countedWrong = counts.windowDifference
        var missing: [Int64: Int] = [:]
        var found = 0
        for expectation in expectations where expectation.subscriber == subscriber {
            let ledger = try PublishedLedger(path: expectation.ledger)
            let isMeant = try ledger.topics.map(expectation.isMeant)
            for record in ledger.records where record.time >= expectation.since && isMeant[record.topic] {
                let held = counts.samples[ledger.instances[record.instance]]?[record.time] ?? 0
                expected += record.samples
                expectedAt[record.time, default: 0] += record.samples
                found += min(held, record.samples)
                if held < record.samples { missing[record.time, default: 0] += record.samples - held }
            }
        }
        lostAt = missing.map { (time: $0.key, samples: $0.value) }.sorted { $0.time < $1.time }
        lost = lostAt.reduce(0) { $0 + $1.samples }
        unexpected = stored - found
    }

    /// The samples that ledgers have for a subscriber.
    static func expected(by subscriber: String, of expectations: [StageRun.Expectation]) throws -> Int {
        try expectations.filter { $0.subscriber == subscriber }.reduce(0) { sum, expectation in
            let ledger = try PublishedLedger(path: expectation.ledger)
            let isMeant = try ledger.topics.map(expectation.isMeant)
            return ledger.records.reduce(sum) { sum, record in
                sum + (record.time >= expectation.since && isMeant[record.topic] ? record.samples : 0)
            }
        }
    }

}

extension StageRun {
    /// Recounts subscribers, all unless some are named, one beside the other; exact when all processes have ended.
    func recount(_ parts: Set<String>? = nil) async throws -> [Recount] {
        let expectations = expectations
        let files = files
        // The windows of a minute that began before are whole only where nobody else has published.
        let beginning = options.bootstrap.isEmpty ? Timestamp(milliseconds: 0) : beginning
        let all = Set(names(.subscriber).compactMap { processes[$0]?.plan.part })
        return try await withThrowingTaskGroup(of: Recount.self) { group in
            for part in parts ?? all {
                // Off the actor: this reads for seconds.
                group.addTask {
                    try Recount(
                        subscriber: part, database: files.database(part), expectations: expectations, from: beginning)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.subscriber < $1.subscriber }
        }
    }
}
