public import CommitLog
import NIOCore

/// What a broker is told before it starts.
public struct BrokerConfiguration: Sendable {
    /// When an append with `acks=all` is acknowledged.
    public enum Durability: String, Sendable, CaseIterable {
        /// After its bytes are synced to disk; one sync serves all appends that wait. Survives a power failure.
        case acknowledged
        /// Once the operating system has it, as Kafka does by default. Survives a kill of the broker.
        case pageCache
    }

    /// One directory `<topic>-<partition>` per partition, the catalogue and the lock are here.
    public var dataDirectory: String
    public var host: String
    /// 0 for any free port.
    public var port: Int
    /// What clients are told to connect to; nil for the address they came in by.
    public var advertisedHost: String?
    public var advertisedPort: Int?
    /// Whether asking for, or producing to, a topic that does not exist creates it.
    public var autoCreateTopics: Bool
    /// Partitions of topics created without a number.
    public var defaultPartitions: Int
    public var durability: Durability
    public var nodeID: Int32
    /// Threads that serve connections; nil for one per core up to four.
    public var eventLoops: Int?
    public var groups: GroupSettings
    public var transactions: TransactionSettings
    public var log: LogConfiguration
    public var limits: BrokerLimits
    public var housekeeping: HousekeepingSettings
    /// Whether the metrics of logs are told by partition; else by topic, with the sums of its partitions.
    public var metricsByPartition = false

    public init(
        dataDirectory: String,
        host: String = "127.0.0.1",
        port: Int = 9092,
        advertisedHost: String? = nil,
        advertisedPort: Int? = nil,
        autoCreateTopics: Bool = true,
        defaultPartitions: Int = 1,
        durability: Durability = .acknowledged,
        nodeID: Int32 = 1,
        eventLoops: Int? = nil,
        groups: GroupSettings = GroupSettings(),
        transactions: TransactionSettings = TransactionSettings(),
        log: LogConfiguration = LogConfiguration(),
        limits: BrokerLimits = BrokerLimits(),
        housekeeping: HousekeepingSettings = HousekeepingSettings()
    ) {
        self.dataDirectory = dataDirectory
        self.host = host
        self.port = port
        self.advertisedHost = advertisedHost
        self.advertisedPort = advertisedPort
        self.autoCreateTopics = autoCreateTopics
        self.defaultPartitions = defaultPartitions
        self.durability = durability
        self.nodeID = nodeID
        self.eventLoops = eventLoops
        self.groups = groups
        self.transactions = transactions
        self.log = log
        self.limits = limits
        self.housekeeping = housekeeping
    }
}
