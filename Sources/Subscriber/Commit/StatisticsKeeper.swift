internal import Glibc
internal import SeriesStore
internal import Synchronization

/// Adds up a service's statistics. Any thread.
final class StatisticsKeeper: Sendable {
    private let statistics = Mutex(SubscriberStatistics())
    private let latencies = Mutex(LatencyHistogram())
    private let arrivals = Mutex(LatencyHistogram())

    var snapshot: SubscriberStatistics { statistics.withLock { $0 } }

    func add(_ report: CommitReport, _ counts: DecodingCounts, lostRejections: Int) {
        statistics.withLock { statistics in
            statistics.recordsRead += counts.records
            statistics.duplicateRecords += counts.duplicateRecords
            statistics.rejectedLines += counts.rejectedLines
            for (name, source) in counts.sources { statistics.sources[name, default: SourceStatistics()] += source }
            statistics.skippedValues += counts.skippedValues
            statistics.lostRejections += Int64(lostRejections)
            statistics.samplesStored += Int64(report.storedSamples)
            statistics.duplicateSamples += Int64(report.duplicateSamples)
            statistics.expiredSamples += Int64(report.expiredSamples)
            for overflow in report.overflow {
                statistics.overflow[overflow.cause, default: overflow.withoutCounts].add(overflow)
            }
            statistics.seriesCreated += Int64(report.newSeries)
            statistics.commits += 1
            statistics.lastCommitDuration = report.duration
        }
    }

    func set(memory: SeriesMemory, missedRecords: [String: Int64]) {
        statistics.withLock {
            $0.memory = memory
            $0.missedRecords = missedRecords
        }
    }

    func set(rules: [String: RuleStatistics], waitingEmissions: Int) {
        statistics.withLock {
            $0.rules = rules
            $0.waitingEmissions = waitingEmissions
        }
    }

    /// Emissions wait since then, or earlier; nil when none does.
    func setEmission(waitingSince instant: ContinuousClock.Instant?) {
        statistics.withLock { $0.emissionsWaitSince = instant == nil ? nil : $0.emissionsWaitSince ?? instant }
    }

    func addEmission(records: Int, lost: Int) {
        statistics.withLock {
            $0.emittedRecords += Int64(records)
            $0.lostEmissions += Int64(lost)
        }
    }

    func addHeldBack() {
        statistics.withLock { $0.heldBackWindows += 1 }
    }

    func set(alerts: AlertStatistics) {
        statistics.withLock { $0.alerts = alerts }
    }

    /// From collection to commit.
    var latency: LatencyHistogram { latencies.withLock { $0 } }

    /// From collection to the moment at which a sample has been decoded and, in a mode that acts on arrival, matched.
    var arrival: LatencyHistogram { arrivals.withLock { $0 } }

    /// What was noted in these times since the last call has arrived now.
    func arrived(_ times: inout CollectionTimes) {
        let now = WallClock.microseconds()
        arrivals.withLock { times.recordArrivals(in: &$0, at: now) }
    }

    /// What was collected at these times has been committed now.
    func committed(_ times: CollectionTimes) {
        let now = WallClock.microseconds()
        latencies.withLock { times.record(in: &$0, committedAt: now) }
    }

    func set(droppedDirectSamples: Int) {
        statistics.withLock { $0.droppedDirectSamples = Int64(droppedDirectSamples) }
    }

    func countSuperseded() {
        statistics.withLock { $0.supersededCommits += 1 }
    }

    func set(lag: [String: Int64]) {
        statistics.withLock {
            $0.lag = lag.values.reduce(0, +)
            $0.lagByTopic = lag
        }
    }
}

/// The time of day, finer than a `Timestamp`.
private enum WallClock {
    /// Since 1970; 0 where there is no such clock.
    static func microseconds() -> Int64 {
        withUnsafeTemporaryAllocation(of: timespec.self, capacity: 1) { time in
            guard let start = time.baseAddress, clock_gettime(CLOCK_REALTIME, start) == 0 else { return 0 }
            // Read as words, for the reason that `Timestamp.now()` gives.
            let words = UnsafeRawPointer(start)
            let seconds = Int64(words.load(as: time_t.self))
            let nanoseconds = Int64(words.load(fromByteOffset: MemoryLayout<time_t>.size, as: Int.self))
            return seconds * 1_000_000 + nanoseconds / 1000
        }
    }
}
