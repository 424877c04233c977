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
            statistics.skippedValues += counts.skippedValues
            statistics.lostRejections += Int64(lostRejections)
            statistics.samplesStored += Int64(report.storedSamples)
            statistics.duplicateSamples += Int64(report.duplicateSamples)
            statistics.expiredSamples += Int64(report.expiredSamples)
            statistics.refusedSamples += Int64(report.refusedSamples)
            statistics.seriesCreated += Int64(report.newSeries)
            statistics.commits += 1
            statistics.lastCommitDuration = report.duration
        }
    }

    func set(lag: Int64) {
        statistics.withLock { $0.lag = lag }
    }
}
