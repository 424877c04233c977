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
