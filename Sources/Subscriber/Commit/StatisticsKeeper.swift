internal import SeriesStore
internal import Synchronization

/// Adds up a service's statistics. Any thread.
final class StatisticsKeeper: Sendable {
    private let statistics = Mutex(SubscriberStatistics())

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
