import CommitLog
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch
import Synchronization

/// One partition of a topic: a `Log` behind a lock, and those who wait for its data.
///
/// Any thread may call it. Batches are validated before the lock is taken, appended under it, and waiters are woken
/// after it; nothing waits for a disk under the lock except the write to the page cache.
final class Partition: Sendable {
    let topic: String
    let index: Int32
    let directory: String
    /// Grows when replication between brokers comes; until then this broker is the only leader there ever was.
    let leaderEpoch: Int32 = 0
    let resources: PartitionResources
    let traffic: TopicTraffic
    let state: Mutex<State>
    /// Where the log ended when it was opened.
    let openedAt: Offset
    /// Held while the log is compacted, which makes files in its directory.
    let compaction = Mutex<Void>(())
    private let closed = Atomic(false)
    /// Why records could not be read when that was said last.
    let readTrouble = Mutex<LogError?>(nil)

    struct State: ~Copyable {
        var log: Log
        /// What requests are answered once the broker stops or the topic is deleted.
        var closedBy: ErrorCode?
        /// What consumers may read up to. Records that wait for their sync are not visible: a consumer must not
        /// have seen what a power failure takes away.
        var highWatermark: Offset
        var fetchWaits: [FetchWait] = []
        var commit = GroupCommit<SyncWait>()
        /// Records that may wait for a sync; nil for any number.
        var flushMessages: Int64?
    }

    private init(
        topic: String, index: Int32, directory: String, resources: PartitionResources, log: consuming sending Log,
        flushMessages: Int64?
    ) {
        self.topic = topic
        self.index = index
        self.directory = directory
        self.resources = resources
        self.traffic = resources.counters.traffic(of: topic)
        let end = log.logEndOffset
        self.openedAt = end
        self.state = Mutex(
            State(
                log: log, highWatermark: end, flushMessages: flushMessages))
    }

    /// Opens or creates the partition's log. Reads the disk.
    static func open(
        topic: String, index: Int32, directory: String, settings: TopicSettings, resources: PartitionResources
    ) throws(LogError) -> Partition {
        let log = try Log(
            directory: directory, configuration: settings.applied(to: resources.logConfiguration),
            fileSystem: resources.fileSystem)
        self.tell(log.recovery, of: "\(topic)-\(index)", resources.logger)
        return Partition(
            topic: topic, index: index, directory: directory, resources: resources, log: log,
            flushMessages: settings.flushMessages)
    }

    /// Says what opening a log had to mend.
    private static func tell(_ recovery: RecoveryReport, of name: String, _ logger: Logger) {
        for cut in recovery.cuts { logger.warning("\(name): \(cut)") }
        if !recovery.rebuiltIndexes.isEmpty {
            logger.notice("\(name): made \(recovery.rebuiltIndexes.count) index files anew from their segments")
        }
        for path in recovery.ignoredFiles { logger.warning("\(name): removed \(path), which was damaged") }
        for missing in recovery.missingOffsets {
            logger.warning(
                "\(name): there are no offsets \(missing.lowerBound) to \(missing.upperBound.advanced(by: -1))")
        }
        if let lost = recovery.lostOffsets {
            logger.error(
                """
                \(name): offsets \(lost.lowerBound) to \(lost.upperBound.advanced(by: -1)) were on disk and are gone; \
                new records will get them again
                """)
        }
    }

    var name: String { "\(self.topic)-\(self.index)" }

    /// Written by the broker only.
    var isInternal: Bool { Topic.internalNames.contains(self.topic) }

    /// Syncs and closes the log; requests are answered with `code` from now on. Waits for the disk. Appends that wait
    /// for a sync under way are told its outcome.
    func close(answering code: ErrorCode) {
        self.closed.store(true, ordering: .releasing)
        let (waits, failure) = self.state.withLock { state in
            guard state.closedBy == nil else { return ([FetchWait](), LogError?.none) }
            state.closedBy = code
            var failure: LogError?
            do throws(LogError) { try state.log.close() } catch { failure = error }
            defer { state.fetchWaits = [] }
            return (state.fetchWaits, failure)
        }
        if let failure { self.resources.logger.error("\(self.name) could not be closed cleanly: \(failure)") }
        for wait in waits { wait.dataArrived() }
    }

    /// Whether the broker stops or the topic is deleted.
    var isClosed: Bool { self.closed.load(ordering: .acquiring) }

    /// Has those who wait for data look again.
    func releaseWaits() {
        let waits = self.state.withLock { state in
            defer { state.fetchWaits = [] }
            return state.fetchWaits
        }
        for wait in waits { wait.dataArrived() }
    }

    /// How the log stands, for the metrics.
    var standing: (bytes: Int, segments: Int, start: Offset, end: Offset) {
        self.state.withLock {
            ($0.log.byteCount, $0.log.segmentCount, $0.log.logStartOffset, $0.log.logEndOffset)
        }
    }

    var offsets: (start: Offset, end: Offset, highWatermark: Offset) {
        self.state.withLock { ($0.log.logStartOffset, $0.log.logEndOffset, $0.highWatermark) }
    }
}

/// What all partitions of a broker share.
struct PartitionResources: Sendable {
    let logConfiguration: LogConfiguration
    let fileSystem: any FileSystem
    let limits: BrokerLimits
    /// Runs what waits for a disk.
    let pool: DiskPool
    let clock: BrokerClock
    let counters: BrokerCounters
    /// Asked before a batch begins a transaction in a partition.
    let transactions: OpenTransactions
    let logger: Logger
    let disk: DiskSpace
}
