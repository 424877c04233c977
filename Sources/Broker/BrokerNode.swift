import CoreMetrics
import Instruments
import KafkaProtocol
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// What all connections of one broker share: its topics, groups, counters and threads. Made by `BrokerService` when it
/// starts; any thread may use it.
final class BrokerNode: Sendable {
    let configuration: BrokerConfiguration
    let logger: Logger
    let clock: BrokerClock
    let pool: DiskPool
    let catalog: Catalog
    let groups: GroupCoordinator
    let transactions: TransactionCoordinator
    let producerIDs: ProducerIDAllocator
    let counters: BrokerCounters
    let connections = OpenConnections()
    let disk: DiskSpace
    let reporting: Mutex<Reporting>
    let housekeeper: Housekeeper
    private let port = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    /// Set when an answer had to wait for memory, until somebody has looked who holds it.
    private let answersWait = Atomic<Bool>(false)

    init(
        configuration: BrokerConfiguration, logger: Logger, clock: BrokerClock, pool: DiskPool, catalog: Catalog,
        groups: GroupCoordinator, transactions: TransactionCoordinator, producerIDs: ProducerIDAllocator,
        counters: BrokerCounters, metrics: any MetricsFactory, disk: DiskSpace
    ) {
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.pool = pool
        self.catalog = catalog
        self.groups = groups
        self.transactions = transactions
        self.producerIDs = producerIDs
        self.counters = counters
        self.disk = disk
        self.reporting = Mutex(Reporting(report: MetricReport(to: metrics)))
        self.housekeeper = Housekeeper(
            catalog: catalog, disk: disk, settings: configuration.housekeeping,
            producerExpiration: configuration.transactions.producerExpiration, limits: configuration.limits,
            clock: clock,
            logger: logger, counters: counters)
    }

    /// The port connections are accepted on.
    var listeningPort: Int { self.port.load(ordering: .relaxed) }

    func listens(on port: Int) {
        self.port.store(port, ordering: .relaxed)
    }

    /// Set when the broker has begun to stop: nobody waits any more.
    var isStopping: Bool { self.stopping.load(ordering: .acquiring) }

    func beginStopping() {
        self.stopping.store(true, ordering: .releasing)
    }

    /// Answers up to this size have as much memory again, so that nobody who asks for little waits for those who ask for
    /// much and do not take it.
    private static let smallAnswerBytes = 256 << 10

    /// Takes memory for an answer before it is made; to be given back once it is with its connection, which counts it itself.
    ///
    /// - Returns: false if peers hold too much; the first answer is always made.
    func reserveMemory(forAnswer bytes: Int) -> Bool {
        self.counters.answerBytes.add(bytes)
        let all = self.counters.answerBytes.value
        let limit = self.configuration.limits.answerBytes
        if all <= (bytes <= Self.smallAnswerBytes ? 2 * limit : limit) || all == bytes { return true }
        self.counters.answerBytes.add(-bytes)
        self.answersWait.store(true, ordering: .relaxed)
        return false
    }

    func releaseMemory(forAnswer bytes: Int) {
        self.counters.answerBytes.add(-bytes)
    }

    /// Cuts connections that do not take their answers, when these take much memory or others wait for it.
    func cutStalledConnections() {
        let isScarce = self.counters.answerBytes.value > self.configuration.limits.answerBytes / 2
        guard self.answersWait.exchange(false, ordering: .relaxed) || isScarce else { return }
        self.connections.forEach { $0.closeIfStalled() }
    }

    /// Runs what waits for a disk.
    func onPool(_ work: @escaping @Sendable () -> Void) {
        self.pool.submit { _ in work() }
    }

    /// What a client is told to connect to.
    func advertisedAddress(for peer: PeerAddress) -> (host: String, port: Int32) {
        let host = self.configuration.advertisedHost ?? peer.localHost ?? self.configuration.host
        return (host, Int32(clamping: self.configuration.advertisedPort ?? self.listeningPort))
    }

    var statistics: BrokerStatistics {
        let topics = self.catalog.allTopics
        var statistics = BrokerStatistics()
        statistics.connections = self.connections.count
        statistics.requests = self.counters.totalRequests
        statistics.acceptedConnections = self.counters.acceptedConnections.value
        (statistics.receivedBytes, statistics.answeredBytes) = self.counters.totalBytes
        let traffic = self.counters.totalTraffic
        statistics.producedRecords = traffic.producedRecords
        statistics.producedBytes = traffic.producedBytes
        statistics.fetchedBytes = traffic.fetchedBytes
        statistics.refusedConnections =
            self.counters.timesReached(.connections) + self.counters.timesReached(.connectionsPerAddress)
        statistics.crowdedOutConnections = self.counters.timesReached(.requestBytes)
        statistics.requestBytes = self.counters.requestBytes.value
        statistics.idleConnections = self.counters.timesReached(.idleTime)
        statistics.refusedGroups = self.counters.timesReached(.groups)
        statistics.refusedMembers = [.membersPerGroup, .memberBytes, .groupBytes].reduce(0) {
            $0 + self.counters.timesReached($1)
        }
        statistics.unreadableRequests = self.counters.unreadableRequests.value
        statistics.answerBytes = self.counters.answerBytes.value
        statistics.stalledConnections = self.counters.timesReached(.stallTime)
        statistics.expiredSegments = self.counters.expiredSegments.value
        statistics.expiredBytes = self.counters.expiredBytes.value
        statistics.compactedBytes = self.counters.compactedBytes.value
        statistics.lowSpaceRefusals = self.counters.timesReached(.minimumFreeBytes)
        statistics.failedWrites = self.counters.failedWrites.value
        statistics.topics = topics.count
        statistics.partitions = topics.reduce(0) { $0 + $1.partitions.count }
        return statistics
    }
}
