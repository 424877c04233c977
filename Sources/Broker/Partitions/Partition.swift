import CommitLog
import KafkaProtocol
import Logging
import NIOCore
import NIOPosix
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
    let state: Mutex<State>

    struct State: ~Copyable {
        var log: Log
        /// What requests are answered once the broker stops or the topic is deleted.
        var closedBy: ErrorCode?
        /// What consumers may read up to. Records that wait for their sync are not visible: a consumer must not
        /// have seen what a power failure takes away.
        var highWatermark: Offset
        var hot: HotRange
        var fetchWaits: [FetchWait] = []
        var commit = GroupCommit<SyncWait>()
    }

    private init(
        topic: String, index: Int32, directory: String, resources: PartitionResources, log: consuming sending Log
    ) {
        self.topic = topic
        self.index = index
        self.directory = directory
        self.resources = resources
        let end = log.logEndOffset
        self.state = Mutex(
            State(
                log: log, highWatermark: end,
                hot: HotRange(end: end, targetBytes: resources.limits.hotBytes)))
    }

    /// Opens or creates the partition's log. Reads the disk.
    static func open(
        topic: String, index: Int32, directory: String, logConfiguration: LogConfiguration,
        resources: PartitionResources
    ) throws(LogError) -> Partition {
        let log = try Log(
            directory: directory, configuration: logConfiguration, fileSystem: resources.fileSystem)
        for cut in log.recovery.cuts { resources.logger.warning("\(topic)-\(index): \(cut)") }
        if !log.recovery.rebuiltIndexes.isEmpty {
            let count = log.recovery.rebuiltIndexes.count
            resources.logger.notice("\(topic)-\(index): made \(count) index files anew from their segments")
        }
        for file in log.recovery.ignoredFiles {
            resources.logger.warning("\(topic)-\(index): \(file) was damaged and is made anew where it is needed")
        }
        return Partition(topic: topic, index: index, directory: directory, resources: resources, log: log)
    }

    var name: String { "\(self.topic)-\(self.index)" }

    /// Written by the broker only.
    var isInternal: Bool { Topic.internalNames.contains(self.topic) }

    /// Syncs and closes the log; requests are answered with `code` from now on. Waits for the disk. Appends that wait
    /// for a sync under way are told its outcome.
    func close(answering code: ErrorCode) {
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

    /// Has those who wait for data look again.
    func releaseWaits() {
        let waits = self.state.withLock { state in
            defer { state.fetchWaits = [] }
            return state.fetchWaits
        }
        for wait in waits { wait.dataArrived() }
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
    let pool: NIOThreadPool
    let clock: BrokerClock
    /// Asked before a batch begins a transaction in a partition.
    let transactions: OpenTransactions
    let logger: Logger
}

/// Which offsets were written lately and so are surely in the page cache. A value inside the partition's lock.
///
/// It keeps two marks, each set when `targetBytes` have been appended since the one before; what lies behind the
/// older one counts as cold.
struct HotRange: Sendable {
    private let targetBytes: Int
    private var older: Offset
    private var newer: Offset
    private var bytesSinceNewer = 0

    init(end: Offset, targetBytes: Int) {
        self.targetBytes = targetBytes
        self.older = end
        self.newer = end
    }

    func contains(_ offset: Offset) -> Bool { offset >= self.older }

    mutating func appended(bytes: Int, at offset: Offset) {
        if self.bytesSinceNewer >= self.targetBytes {
            self.older = self.newer
            self.newer = offset
            self.bytesSinceNewer = 0
        }
        self.bytesSinceNewer += bytes
    }
}
