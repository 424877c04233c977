internal import Aggregation
internal import KafkaClient
internal import MetricModel
internal import SeriesStore
internal import Synchronization

/// What a subscriber in the mode `realtime` does with the samples that arrive: evaluates the conditions and hands what became
/// of alerts to the publisher. What it knows goes into the database with the samples it knows it from.
///
/// Called in the isolation of the `Intake`; `run` is a task of the service, `settle` the `CommitLoop`'s.
final class Alerts: ArrivalObserver {
    /// How often series that ended are looked for.
    private static let eventTimeInterval = Duration.seconds(1)

    private let evaluation: Mutex<AlertEvaluation>
    private let publisher: AlertPublisher
    private let counts = Mutex<[AlertState: Int64]>([:])

    init(_ conditions: [ThresholdCondition], publisher: AlertPublisher) {
        evaluation = Mutex(AlertEvaluation(conditions))
        self.publisher = publisher
    }

    func arrived(
        in head: borrowing Head, samplesFrom firstSample: Int, seriesFrom firstSeries: Int, of source: SourcePartition,
        plausible: ClosedRange<Timestamp>
    ) {
        let notices = evaluation.withLock { evaluation in
            var notices: [AlertNotice] = []
            for (reference, labels) in head.newSeries[firstSeries...] {
                evaluation.define(reference, labels, from: source)
            }
            head.forEachSample(from: firstSample) { reference, sample in
                guard plausible.contains(sample.timestamp) else { return }
                evaluation.observe(sample, of: reference, from: source, &notices)
            }
            return notices
        }
        publish(notices)
    }

    func assigned(_ partitions: [SourcePartition], stored: [StoredAlert]) {
        publish(evaluation.withLock { $0.assign(partitions, stored: stored) })
    }

    func restarted(from stored: [StoredAlert]) {
        publish(evaluation.withLock { $0.restart(from: stored) })
    }

    func seriesForgotten(_ references: Set<SeriesReference>?) {
        evaluation.withLock { evaluation in
            guard let references else { return evaluation.forgetReferences() }
            for reference in references { evaluation.forget(reference) }
        }
    }

    func unassigned(_ partitions: [SourcePartition]) {
        evaluation.withLock { $0.unassign(partitions) }
    }

    func eventTimeAdvanced(to eventTime: Timestamp) {
        let notices = evaluation.withLock { evaluation in
            var notices: [AlertNotice] = []
            evaluation.advance(to: eventTime, &notices)
            return notices
        }
        publish(notices)
    }

    func record(in head: inout Head) {
        evaluation.withLock { $0.record(in: &head) }
    }

    /// Returns when the cluster has taken everything that was said, or refused it for good.
    ///
    /// - Throws: `CancellationError`.
    func settle() async throws {
        try await publisher.settle()
    }

    /// Publishes, and follows event time, until cancelled.
    func run(_ intake: Intake, statistics: StatisticsKeeper) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.publisher.run() }
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.eventTimeInterval)
                    await intake.tellEventTime()
                    statistics.set(alerts: self.statistics)
                }
            }
        }
    }

    private func publish(_ notices: [AlertNotice]) {
        guard !notices.isEmpty else { return }
        counts.withLock { counts in for notice in notices { counts[notice.event.state, default: 0] += 1 } }
        publisher.publish(notices)
    }

    /// What happened so far.
    var statistics: AlertStatistics {
        var statistics = AlertStatistics()
        statistics.events = counts.withLock { $0 }
        statistics.lostEvents = Int64(publisher.lostCount)
        (statistics.watchedSeries, statistics.unwatchedSamples) = evaluation.withLock {
            (Int64($0.watchedCount), $0.unwatchedSamples)
        }
        return statistics
    }
}
