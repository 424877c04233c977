internal import Subscriber
internal import MetricModel

extension StageRun {
    /// Waits until everything that was published has been stored, as far as it will be. Through a broker that is all of it;
    /// over direct links nobody knows what is still to come, so quiet for a while has to do.
    func awaitDrained(within patience: Duration) async throws {
        let quiet = Duration.milliseconds(1200)
        var before = -1
        var changedAt = ContinuousClock.now
        _ = try await Waiting.until(within: patience, every: .milliseconds(50)) {
            let now = snapshot()
            if now.storedSamples != before {
                before = now.storedSamples
                changedAt = .now
            }
            guard now.lagRecords == 0, now.waitingRecords == 0, ContinuousClock.now - changedAt > quiet else {
                return false
            }
            // A subscriber that was killed joins its group again, and has no lag before it has.
            if try await hasAllThroughBrokers(now) { return true }
            changedAt = .now
            return false
        }
    }

    /// Whether every subscriber of a broker has stored what was published for it. Reports say so at little cost; they say
    /// too little of a process that was killed between its last one and its end, whose database is counted.
    private func hasAllThroughBrokers(_ now: StageSnapshot) async throws -> Bool {
        let parts = Set(expectations.filter { $0.topics != nil }.map(\.subscriber))
        let missing = try parts.filter { part in
            let stored = now.processes(.subscriber).filter { $0.part == part }.reduce(0) { $0 + $1.storedSamples }
            return try stored < Recount.expected(by: part, of: expectations)
        }
        if missing.isEmpty { return true }
        return try await recount().allSatisfy { !missing.contains($0.subscriber) || $0.lost == 0 }
    }

    /// What happened between two snapshots; `recounts` are those of the whole run.
    func steadyResult(from start: StageSnapshot, to end: StageSnapshot, _ recounts: [Recount]) -> SteadyResult {
        let seconds = (end.instant - start.instant) / .seconds(1)
        let delivered = end.storedSamples - start.storedSamples
        let millions = max(Double(delivered), 1) / 1_000_000
        var latency = LatencyHistogram()
        var rates: [String: Int] = [:]
        for process in end.processes(.subscriber) {
            let before = start.process(process.name)
            latency.add(process.latency.subtracting(before?.latency ?? LatencyHistogram()))
            rates[process.part, default: 0] += process.storedSamples - (before?.storedSamples ?? 0)
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
            seconds: seconds, offeredPerSecond: offeredPerSecond, deliveredPerSecond: Double(delivered) / seconds,
            subscribers: rates.sorted { $0.key < $1.key }.map {
                SteadyResult.SubscriberRate(name: $0.key, perSecond: Double($0.value) / seconds)
            },
            latency: LatencyResult(latency), roles: roles,
            wireBytesPerSample: Double(sent) / max(1, Double(delivered)),
            expected: recounts.reduce(0) { $0 + $1.expected }, lost: recounts.reduce(0) { $0 + $1.lost })
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
