import CommitLog
import Instruments
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Does what logs need without anybody asking: retention, compaction, and syncs that a topic's `flush.ms` demands.
///
/// Owned by `RunningBroker`. A timer on one event loop only looks how much room the disk has and which chores are due by
/// the broker's clock; they run on threads of their own, one for each chore, partition by partition, so that neither connections nor syncs wait for
/// them. A partition's lock is held for moments only. Internal topics are kept small by those who write them.
final class Housekeeper: Sendable {
    /// Something that is done for all partitions in turn.
    enum Chore: CaseIterable, Sendable {
        case retention
        case compaction
        case syncing
    }

    /// Between two looks at what is due, at most.
    private static let tick = Duration.seconds(1)
    /// Between two looks at retention while the disk has little room, at most.
    private static let retentionWhenLow = TimeAmount.seconds(10)

    private let catalog: Catalog
    private let disk: DiskSpace
    private let settings: HousekeepingSettings
    /// How long partitions remember a producer that is silent.
    private let producerExpiration: TimeAmount
    private let clock: BrokerClock
    private let logger: Logger
    private let counters: BrokerCounters
    private let pool: NIOThreadPool
    private let isStopping = Atomic(false)
    private let diary: Mutex<Diary>
    private let compactionWork: CompactionWork
    private let syncingWork = SyncingWork()
    private let complaints = Complaints()

    private struct Diary {
        var due: [Chore: NIODeadline] = [:]
        var running: Set<Chore> = []
        var timesDone: [Chore: Int] = [:]
        var timer: RepeatedTask?
    }

    init(
        catalog: Catalog, disk: DiskSpace, settings: HousekeepingSettings, producerExpiration: TimeAmount,
        limits: BrokerLimits, clock: BrokerClock, logger: Logger,
        counters: BrokerCounters
    ) {
        self.catalog = catalog
        self.disk = disk
        self.settings = settings
        self.producerExpiration = producerExpiration
        self.clock = clock
        self.logger = logger
        self.counters = counters
        self.pool = NIOThreadPool(numberOfThreads: Chore.allCases.count)
        self.compactionWork = CompactionWork(mapBytes: limits.compactionBytes, now: clock.wallMilliseconds())
        let now = clock.now()
        var diary = Diary()
        for chore in Chore.allCases { diary.due[chore] = now + Self.interval(of: chore, settings) }
        diary.due[.retention] =
            now + min(Self.interval(of: .retention, settings), TimeAmount(HousekeepingSettings.firstRetentionCheck))
        self.diary = Mutex(diary)
    }

    private static func interval(of chore: Chore, _ settings: HousekeepingSettings) -> TimeAmount {
        switch chore {
        case .retention: TimeAmount(settings.retentionCheck)
        case .compaction: TimeAmount(settings.compactionCheck)
        case .syncing: TimeAmount(Self.tick)
        }
    }

    // MARK: Starting and stopping

    func start(on eventLoop: any EventLoop) {
        self.pool.start()
        let shortest = min(Self.tick, self.settings.retentionCheck / 2, self.settings.compactionCheck / 2)
        let delay = TimeAmount(max(.milliseconds(1), shortest))
        let timer = eventLoop.scheduleRepeatedTask(initialDelay: delay, delay: delay) { _ in self.beginWhatIsDue() }
        self.diary.withLock { $0.timer = timer }
    }

    /// Waits for what is under way, which ends soon.
    func stop() async {
        self.isStopping.store(true, ordering: .releasing)
        self.diary.withLock { $0.timer }?.cancel()
        try? await self.pool.shutdownGracefully()
    }

    private func beginWhatIsDue() {
        let now = self.clock.now()
        let wasLow = self.disk.isLow
        self.disk.measure()
        let begun = self.diary.withLock { diary -> [Chore] in
            if self.disk.isLow {
                // Retention is what makes room.
                let next = wasLow ? now + Self.retentionWhenLow : now
                diary.due[.retention] = min(diary.due[.retention] ?? next, next)
            }
            let due = diary.due.filter { $0.value <= now && !diary.running.contains($0.key) }.map(\.key)
            for chore in due {
                diary.due[chore] = now + Self.interval(of: chore, self.settings)
                diary.running.insert(chore)
            }
            return due
        }
        for chore in begun {
            self.pool.submit { state in
                if state == .active { self.perform(chore) }
                self.diary.withLock { diary in
                    diary.running.remove(chore)
                    diary.timesDone[chore, default: 0] += 1
                }
            }
        }
    }

    /// How often a chore has been done since the start.
    func timesDone(_ chore: Chore) -> Int { self.diary.withLock { $0.timesDone[chore] ?? 0 } }

    // MARK: Chores

    /// Does one chore for all partitions. Waits for the disk.
    func perform(_ chore: Chore) {
        if chore == .retention { self.forgetProducers() }
        let topics = self.catalog.allTopics.filter { !$0.isInternal }
        for topic in topics {
            for partition in topic.partitions where !self.isStopping.load(ordering: .acquiring) {
                do throws(LogError) {
                    try self.perform(chore, partition, topic.settings)
                    self.complaints.withdraw(chore, partition.name)
                } catch {
                    self.complain(error, chore, partition)
                }
            }
        }
        self.complaints.forgetAll(but: Set(topics.flatMap(\.partitions).map(\.name)))
    }

    private func perform(
        _ chore: Chore, _ partition: Partition, _ settings: TopicSettings
    ) throws(LogError) {
        switch chore {
        case .retention: try self.expire(partition, settings)
        case .compaction where settings.compacts:
            let report = try self.compactionWork.run(settings.compaction, partition) {
                self.isStopping.load(ordering: .acquiring)
            }
            if let report { self.tell(report, partition) }
        case .compaction: break
        case .syncing: self.syncingWork.run(settings.flushMilliseconds, partition, now: self.clock.now())
        }
    }

    private func forgetProducers() {
        let time = self.clock.wallMilliseconds() - self.producerExpiration.milliseconds
        for topic in self.catalog.allTopics {
            for partition in topic.partitions { partition.expireProducers(silentSince: time) }
        }
    }

    private func expire(_ partition: Partition, _ settings: TopicSettings) throws(LogError) {
        let removed = try partition.expire(settings.retention)
        guard removed.segments > 0 else { return }
        self.counters.expiredSegments.add(removed.segments)
        self.counters.expiredBytes.add(removed.bytes)
        self.logger.info(
            """
            \(partition.name): retention removed \(removed.segments) segment\(removed.segments == 1 ? "" : "s") with \
            \(removed.bytes) bytes; the log now starts at offset \(partition.offsets.start)
            """)
    }

    private func tell(_ report: CompactionReport, _ partition: Partition) {
        self.counters.compactedBytes.add(report.bytesRemoved)
        // More passes than one, because the keys did not fit into the memory for them.
        if report.passes > 1 { self.counters.reached(.compactionBytes, times: report.passes - 1) }
        guard report.recordsRemoved > 0 else { return }
        self.logger.info(
            """
            \(partition.name): compaction removed \(report.recordsRemoved) records and \(report.bytesRemoved) of \
            \(report.bytesRead) bytes
            """)
    }

    /// The same trouble is said once, not at every look.
    private func complain(_ error: LogError, _ chore: Chore, _ partition: Partition) {
        // Closing the log is what stops its upkeep.
        if case .closed = error { return }
        guard self.complaints.isNew(chore, partition.name, error) else { return }
        self.logger.error("\(partition.name): \(chore) does not work, and is tried again: \(error)")
    }
}

extension TimeAmount {
    /// `Duration` in whole nanoseconds; as long as can be where it is longer.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        self = .nanoseconds(overflow ? .max / 2 : min(whole, .max / 2) + attoseconds / 1_000_000_000)
    }
}
