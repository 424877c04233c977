internal import MetricModel
internal import Subscriber

// Waiting for a stage to get going and to come to rest, and what happened between two moments.

extension StageRun {
    /// Committed later than this after it was collected, a sample is not fresh.
    static let freshness = Duration.seconds(1)

    /// Waits until, for as long as `span`, every subscriber has met no series that it did not know and has stored samples,
    /// none of which was older than ``freshness``.
    ///
    /// - Returns: when that time began; nil if there was none within `patience`.
    func awaitFresh(for span: Duration, within patience: Duration) async throws -> ContinuousClock.Instant? {
        var before = snapshot()
        var began: ContinuousClock.Instant?
        _ = try await Waiting.until(within: patience, every: .milliseconds(200)) {
            try checkAllRun()
            let now = snapshot()
            var isLongEnough = now.instant - before.instant >= span
            for process in now.processes(.subscriber) {
                let earlier = before.process(process.name)
                let latency = process.latency.subtracting(earlier?.latency ?? LatencyHistogram())
                let isNew = process.createdSeries != earlier?.createdSeries ?? 0
                if isNew || latency.samples(longerThan: Self.freshness) > 0 {
                    before = now
                    return false
                }
                if latency.samples == 0 { isLongEnough = false }
            }
            if isLongEnough { began = before.instant }
            return isLongEnough
        }
        return began
    }

    /// Waits until everything that was published has been stored, as far as it will be; to be called when nothing more is
    /// being collected. Where all of it is there, that is soon known. What a direct link has lost nobody waits for: quiet
    /// for a while has to do.
    func awaitDrained(within patience: Duration) async throws {
        let quiet = Duration.milliseconds(1200)
        let parts = Set(expectations.map(\.subscriber))
        let brokered = Set(expectations.filter { $0.topics != nil }.map(\.subscriber))
        let expected = try await Self.expected(by: parts, expectations)
        var before = -1
        var changedAt = ContinuousClock.now
        _ = try await Waiting.until(within: patience) {
            let now = snapshot()
            if now.storedSamples != before {
                before = now.storedSamples
                changedAt = .now
            }
            guard now.lagRecords == 0, now.waitingRecords == 0 else { return false }
            let missing = parts.filter { now.storedSamples(of: $0) < expected[$0, default: 0] }
            if missing.isEmpty { return true }
            guard ContinuousClock.now - changedAt > quiet else { return false }
            // Reports say too little of a process that was killed between its last one and its end, whose database is
            // counted; and a subscriber that was killed joins its group again, and has no lag before it has.
            let isOpen = missing.intersection(brokered)
            if isOpen.isEmpty { return true }
            if try await recount(isOpen).allSatisfy({ $0.lost == 0 }) { return true }
            changedAt = .now
            return false
        }
    }

    /// The samples that ledgers have for each subscriber. Off the actor: this reads files.
    private static func expected(
        by parts: Set<String>, _ expectations: [Expectation]
    ) async throws -> [String: Int] {
        try parts.reduce(into: [:]) { $0[$1] = try Recount.expected(by: $1, of: expectations) }
    }

    /// What happened between two snapshots.
    ///
    /// - Parameters:
    ///   - times: what was to be collected then counts as expected, and as lost, in milliseconds since 1970.
    ///   - recounts: those of the whole run.
    ///   - offered: what publishers were to make in a second.
    func steadyResult(
        from start: StageSnapshot, to end: StageSnapshot, secondsUntilFresh: Double?, offeredPerSecond offered: Double,
        times: Range<Int64>, _ recounts: [Recount]
    ) -> SteadyResult {
        let delivered = end.storedSamples - start.storedSamples
        let millions = max(Double(delivered), 1) / 1_000_000
        var latency = LatencyHistogram()
        var arrival = LatencyHistogram()
        var rates: [String: Double] = [:]
        for process in end.processes(.subscriber) {
            let before = start.process(process.name)
            latency.add(process.latency.subtracting(before?.latency ?? LatencyHistogram()))
            arrival.add(process.arrival.subtracting(before?.arrival ?? LatencyHistogram()))
            let stored = process.storedSamples - (before?.storedSamples ?? 0)
            rates[process.part, default: 0] += Double(stored) / end.seconds(since: start, process.name)
        }
        let roles = StageRole.allCases.compactMap { role -> RoleCost? in
            let processes = end.processes(role)
            if processes.isEmpty { return nil }
            let cpu = processes.reduce(0) { $0 + $1.cpuSeconds - (start.process($1.name)?.cpuSeconds ?? 0) }
            return RoleCost(
                role: role, processes: processes.count, cpuSecondsPerMillion: cpu / millions,
                memoryBytes: processes.reduce(0) { $0 + $1.residentBytes })
        }
        let sent = end.processes.reduce(0) { $0 + $1.bytesOut - (start.process($1.name)?.bytesOut ?? 0) }
        return SteadyResult(
            secondsUntilFresh: secondsUntilFresh, seconds: (end.instant - start.instant) / .seconds(1),
            offeredPerSecond: offered, deliveredPerSecond: rates.values.reduce(0, +),
            subscribers: rates.sorted { $0.key < $1.key }.map {
                SteadyResult.SubscriberRate(name: $0.key, perSecond: $0.value)
            },
            latency: LatencyResult(latency), arrival: LatencyResult(arrival), roles: roles,
            wireBytesPerSample: Double(sent) / max(1, Double(delivered)),
            expected: recounts.reduce(0) { $0 + $1.expected(from: times.lowerBound, to: times.upperBound) },
            lost: recounts.reduce(0) { $0 + $1.lost(from: times.lowerBound, to: times.upperBound) })
    }

    /// What the publishers are to make in a second.
    var offeredPerSecond: Double {
        names(.publisher).reduce(0) { $0 + (processes[$1]?.plan.publishing?.samplesPerSecond ?? 0) }
    }

    /// Lines of settings over all processes, and those that name another one.
    var configuration: (lines: Int, addresses: Int) {
        order.reduce((0, 0)) { sum, name in
            let settings = processes[name]?.settings
            return (sum.0 + (settings?.lines ?? 0), sum.1 + (settings?.addressLines ?? 0))
        }
    }
}
