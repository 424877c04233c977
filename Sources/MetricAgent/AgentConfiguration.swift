import Glibc
public import KafkaClient

/// How an agent collects and where it publishes.
public struct AgentConfiguration: Sendable {
    /// Addresses of the cluster's brokers; any of them leads to all.
    public var bootstrap: [BrokerAddress]
    /// Subscribers to publish to without a broker, and without a spool; if there are any, `bootstrap` is not used.
    public var direct: [BrokerAddress] = []
    /// How what is published to them waits and connects.
    public var directLinks = DirectConfiguration()
    /// The label `instance` of every series and the key of every record.
    public var instance: String
    /// Time between two runs of a collector. Runs are at whole multiples of it on the wall clock.
    public var interval: Duration
    public var collectors: [CollectorName]
    /// Kept on disk, one agent per directory.
    public var spoolDirectory: String
    /// Bytes that may wait in the spool; beyond that new samples are refused and counted.
    public var spoolMaximumBytes: Int
    /// Where the kernel's files are, for containers that see the host's elsewhere.
    public var procRoot: String
    public var sysRoot: String
    /// Begins the topics' names; the collector's name follows.
    public var topicPrefix: String
    /// Collect nothing, publish what the spool holds, then end.
    public var drainsOnly = false

    public init(
        bootstrap: [BrokerAddress], instance: String = AgentConfiguration.hostName, interval: Duration = .seconds(10),
        collectors: [CollectorName] = CollectorName.allCases, spoolDirectory: String,
        spoolMaximumBytes: Int = 1 << 30, procRoot: String = "/proc", sysRoot: String = "/sys",
        topicPrefix: String = "metrics."
    ) {
        self.bootstrap = bootstrap
        self.instance = instance
        self.interval = interval
        self.collectors = collectors
        self.spoolDirectory = spoolDirectory
        self.spoolMaximumBytes = spoolMaximumBytes
        self.procRoot = procRoot
        self.sysRoot = sysRoot
        self.topicPrefix = topicPrefix
    }

    /// What this host calls itself.
    public static var hostName: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 257) { name in
            name.initialize(repeating: 0)
            guard let start = name.baseAddress, gethostname(start, 256) == 0 else { return "localhost" }
            return String(cString: start)
        }
    }
}
