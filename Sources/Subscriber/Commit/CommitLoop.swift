internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import MetricModel
internal import SeriesStore
internal import Synchronization

/// Commits what the intake holds, again and again: first what was rejected goes to its topic, and alerts are waited for that
/// are on their way to theirs; then samples, offsets and sequences go into the database in one transaction. In the pauses it
/// has the store pack its older samples. When another process of the group has stored some of it before, everything in hand
/// is read again (`Rereading`).
///
/// One task runs it. It ends when the intake is finished and empty, or with an error that no waiting mends.
struct CommitLoop: Sendable {
    let intake: Intake
    let writer: SeriesWriter
    let store: BlockingQueue
    let rereading: Rereading
    let rejections: RejectionPublisher
    /// Nil in modes that raise none.
    let alerts: Alerts?
    let policy: CommitPolicy
    let statistics: StatisticsKeeper
    let lagTimers: LagTimers
    let mentions: DropMentions
    let skews: SkewMentions
    let logger: Logger

    /// Pauses between attempts when the disk is full or the database is held by another program.
    private static let retryPauses: [Duration] = [.milliseconds(100), .milliseconds(500), .seconds(1), .seconds(5)]

    private static let pauseBetweenSteps = Duration.milliseconds(5)
    /// How often old samples are looked after when nothing is committed.
    private static let upkeepInterval = Duration.seconds(1)

    /// Looks after old samples also while nothing is committed, because all partitions are others', or nothing comes. Until
    /// cancelled.
    func keepUp() async throws {
        while true {
            try await Task.sleep(for: Self.upkeepInterval)
            try await tidy(until: .now + Self.upkeepInterval)
        }
    }

    func run() async throws {
        let clock = ContinuousClock()
        var earliest = clock.now
        while let harvest = await intake.next(notBefore: earliest) {
            let start = clock.now
            let lost = try await rejections.publish(harvest.rejections)
            try await alerts?.settle()
            let commitStart = clock.now
            guard let report = try await commit(harvest.head, harvest.eventTime) else {
                earliest = clock.now
                continue
            }
            lagTimers.record(harvest, commitStart, clock.now)
            statistics.committed(harvest.collected)
            await intake.didCommit(harvest.head, unstored: report.unstoredSeries)
            var counts = harvest.counts
            for (name, source) in await intake.sources(of: report.duplicatesBySeries) {
                counts.sources[name, default: SourceStatistics()] += source
            }
            statistics.add(report, counts, lostRejections: lost)
            statistics.set(lag: await intake.lag)
            statistics.set(memory: await intake.memory, missedRecords: await intake.missedRecords)
            mentions.mention(report)
            skews.mention(harvest.skews)
            // After a start each series is looked for once. That no larger commit would save, so the next need not wait for it.
            earliest = start + policy.interval(afterCommitOf: clock.now - start - report.seriesDuration)
            try await tidy(until: earliest)
        }
    }

    /// Packs and deletes old samples while nothing waits to be committed.
    private func tidy(until end: ContinuousClock.Instant) async throws {
        do {
            while await !intake.isWaitingForCommit(at: end) {
                guard try await store.run({ [writer] in try writer.seal() || writer.expire() }) else { return }
                // Leaves the others a moment in which they can begin.
                if writer.isShared { try await Task.sleep(for: Self.pauseBetweenSteps) }
            }
        } catch let error as StoreError where error.isTransient {
            // The next commit meets it too, and says so.
        }
    }

    /// Tries until it succeeds, as long as trying may help; what is read meanwhile waits in the topics. Nil when others were
    /// first, and the head has been dropped.
    private func commit(_ head: Head, _ eventTime: Timestamp?) async throws -> CommitReport? {
        var failures = 0
        while true {
            do {
                let report = try await store.run { [writer] in try writer.commit(head, eventTime: eventTime) }
                if failures > 0 {
                    logger.notice("the database can be written again", metadata: ["path": "\(writer.path)"])
                }
                return report
            } catch StoreError.superseded(_, let reason) {
                statistics.countSuperseded()
                try await rereading.run(dropping: head, because: reason)
                statistics.set(droppedDirectSamples: await intake.droppedDirectSamples)
                return nil
            } catch let error as StoreError where error.isTransient {
                if failures == 0 {
                    logger.error("cannot commit, trying again until it succeeds", metadata: ["reason": "\(error)"])
                }
                let pause = Self.retryPauses[min(failures, Self.retryPauses.count - 1)]
                failures += 1
                if case .full = error { await makeRoom() }
                try await Task.sleep(for: pause)
            }
        }
    }

    /// Deletes what is older than its retention, if this process leads: between commits there is no time for it while none
    /// succeeds.
    private func makeRoom() async {
        while !Task.isCancelled, (try? await store.run { [writer] in try writer.expire() }) == true {}
    }
}
