import CommitLog
import Instruments
import KafkaProtocol
import Logging
import NIOCore
import Synchronization

/// Watches the room on the file system that holds the data directory, and says what goes wrong with it.
///
/// Clients' records are refused before the disk is full, so that there is room left for what keeps a broker going:
/// offset commits, transaction markers, indexes, the catalogue, compaction. Any thread may call it. Owned by the
/// broker's node.
final class DiskSpace: Sendable {
    private let directory: String
    private let fileSystem: any FileSystem
    /// What is kept free; nil for a share of the file system.
    private let reserve: Int?
    private let clock: BrokerClock
    private let logger: Logger
    private let counters: BrokerCounters
    /// Bytes that may be appended before the room is measured again.
    private let allowance = Atomic<Int>(0)
    private let low = Atomic(false)
    /// Whether any alarm about failed writes is on, so that a successful write need not take the lock to see.
    private let hasFailures = Atomic(false)
    private let state = Mutex(State())

    private struct State {
        var lowSpace = StorageAlarm()
        /// About failed writes: by partition, but for a full disk under the data directory's name.
        var failures: [String: StorageAlarm] = [:]
    }

    /// Near the reserve the room is measured once for so many bytes.
    private static let smallestAllowance = 64 << 10
    /// After a failed write all is well again once writes have succeeded for so long.
    private static let quietTime = TimeAmount.seconds(10)

    init(
        directory: String, fileSystem: any FileSystem, limits: BrokerLimits, clock: BrokerClock, logger: Logger,
        counters: BrokerCounters
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.reserve = limits.minimumFreeBytes
        self.clock = clock
        self.logger = logger
        self.counters = counters
        self.measure()
    }

    /// What is kept free of a file system of this size unless the settings say otherwise: a hundredth, but at least 16 MiB
    /// and at most 1 GiB, and never more than an eighth.
    static func defaultReserve(ofTotal total: Int) -> Int {
        min(max(16 << 20, total / 100), 1 << 30, total / 8)
    }

    /// Whether clients' records are refused.
    var isLow: Bool { self.low.load(ordering: .relaxed) }

    /// The room there is now; nil if the system does not say.
    var space: FileSystemSpace? { try? self.fileSystem.space(at: self.directory) }

    // MARK: Low space

    /// Called before a client's records are appended.
    func admit(_ byteCount: Int) throws(Partition.Refusal) {
        if !self.isLow {
            if self.allowance.wrappingSubtract(byteCount, ordering: .relaxed).newValue >= 0 { return }
            self.measure()
            if !self.isLow { return }
        }
        self.counters.reached(.minimumFreeBytes)
        throw Partition.Refusal(.kafkaStorageError, self.raiseLowSpaceAlarm(refusals: 1))
    }

    /// Finds out how much room there is. Called now and then, and when much has been written since.
    func measure() {
        // Where the system does not say, writes will tell.
        guard let space = self.space else { return self.allowance.store(Self.smallestAllowance, ordering: .relaxed) }
        let reserve = self.reserve(of: space)
        // Somewhat more must be free to end it than to begin it, so that it does not begin and end all the time.
        let isLow = space.usable < (self.isLow ? reserve + reserve / 4 : reserve)
        self.allowance.store(max(Self.smallestAllowance, (space.usable - reserve) / 2), ordering: .relaxed)
        guard self.low.exchange(isLow, ordering: .relaxed) != isLow else { return }
        if isLow {
            _ = self.raiseLowSpaceAlarm(refusals: 0)
            return
        }
        let news = self.state.withLock { $0.lowSpace.allIsWell(now: self.clock.now()) }
        if case .ended(let refusals, let time) = news {
            self.logger.notice(
                """
                \(self.directory): \(space.usable) bytes are free again, so records are taken again; \(refusals) \
                batches were refused in \(time.nanoseconds / 1_000_000_000) s
                """)
        }
    }

    private func reserve(of space: FileSystemSpace) -> Int {
        self.reserve ?? Self.defaultReserve(ofTotal: space.total)
    }

    /// - Returns: what a producer is told.
    private func raiseLowSpaceAlarm(refusals: Int) -> String {
        let free = self.space.map { "\($0.usable)" } ?? "?"
        let kept = self.space.map { "\(self.reserve(of: $0))" } ?? "?"
        let reason = "\(self.directory): the disk has \(free) bytes free, and \(kept) are kept free"
        switch self.state.withLock({ $0.lowSpace.trouble(refusals: refusals, now: self.clock.now()) }) {
        case .began:
            self.logger.error(
                """
                \(reason) (--min-free-space); records are refused until there is more, reads and offset commits go on; \
                shorten retention.ms or retention.bytes, delete topics or records, or make the disk larger
                """)
        case .goesOn(let refusals):
            self.logger.error("\(reason); \(refusals) more batches were refused")
        case .ended, nil: break
        }
        return reason + "; free some disk space"
    }

    // MARK: Failed writes

    /// A batch could not be written.
    ///
    /// - Returns: what a producer is told.
    func failed(_ error: LogError, in partition: String) -> String {
        self.counters.failedWrites.add(1)
        var reason = error.description
        var place = partition
        if error.isDiskFull {
            place = self.directory
            reason += "; \(self.space.map { "\($0.usable)" } ?? "?") bytes are free"
            // To be measured before the next batch.
            self.allowance.store(0, ordering: .relaxed)
        }
        let news = self.state.withLock { state in
            self.hasFailures.store(true, ordering: .relaxed)
            return state.failures[place, default: StorageAlarm()].trouble(refusals: 1, now: self.clock.now())
        }
        switch news {
        case .began: self.logger.error("\(partition): a batch could not be written: \(reason); reads go on")
        case .goesOn(let refusals):
            self.logger.error("\(partition): \(refusals) more batches could not be written, the last as: \(reason)")
        case .ended, nil: break
        }
        return reason
    }

    /// A batch has been written.
    func wrote(in partition: Partition) {
        guard self.hasFailures.load(ordering: .relaxed) else { return }
        let partition = partition.name
        let now = self.clock.now()
        let ended = self.state.withLock { state in
            let ended = [partition, self.directory].compactMap { place -> (String, StorageAlarm.News)? in
                guard let news = state.failures[place]?.allIsWell(quiet: Self.quietTime, now: now) else { return nil }
                state.failures[place] = nil
                return (place, news)
            }
            if state.failures.isEmpty { self.hasFailures.store(false, ordering: .relaxed) }
            return ended
        }
        for case (let place, .ended(let refusals, let time)) in ended {
            self.logger.notice(
                """
                \(place): batches are written again; \(refusals) could not be in \(time.nanoseconds / 1_000_000_000) s
                """)
        }
    }

    /// Forgets what went wrong with a partition that is gone.
    func forget(_ partition: String) {
        self.state.withLock { $0.failures[partition] = nil }
    }
}
