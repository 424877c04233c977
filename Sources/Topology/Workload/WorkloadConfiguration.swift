public import KafkaClient
public import MetricAgent

/// What a workload generator plays, and where it publishes.
public struct WorkloadConfiguration: Sendable {
    /// Where its records go.
    public enum Target: Sendable {
        /// Through a spool to a cluster.
        ///
        /// - Parameter partitions: the topic is created with so many if it is not there; nil for the cluster's default.
        case brokers([BrokerAddress], partitions: Int?, spoolDirectory: String)
        /// Straight to each of these subscribers.
        case subscribers([BrokerAddress], DirectConfiguration = DirectConfiguration())
    }

    public var kind: WorkloadKind
    public var target: Target
    public var hosts = 10
    /// Of each host.
    public var series = 100
    public var interval = Duration.seconds(1)
    /// Of values and rates; the same seed gives the same values at the same times.
    public var seed: UInt64 = 1
    /// Nil: until it is stopped. Zero: only what an earlier run left in the spool is published.
    public var duration: Duration?
    public var burst: WorkloadSchedule.Burst?
    public var shape = WorkloadSchedule.Shape.spread
    /// Begins the instances' names; a dash and the host's number follow. Nil for the kind's name.
    public var instancePrefix: String?
    /// Nil for the kind's.
    public var topic: String?
    /// The file that each record is written down in before it is published; nil for none.
    public var ledgerPath: String?

    public init(kind: WorkloadKind, target: Target) {
        self.kind = kind
        self.target = target
    }

    /// How much a record's text may have in bytes, for a batch to be within a broker's limits.
    static let maximumSeries = 20_000
    static let maximumHosts = 100_000

    var prefix: String { instancePrefix ?? kind.rawValue }
    var topicText: String { topic ?? kind.topic }

    /// - Throws: what cannot be played.
    func check() throws(WorkloadError) {
        guard (1...Self.maximumHosts).contains(hosts) else { throw .hosts(hosts) }
        guard (1...Self.maximumSeries).contains(series) else { throw .series(series) }
        guard interval >= .milliseconds(1) else { throw .interval(interval) }
        if let burst {
            guard burst.factor >= 1, burst.length >= .zero, burst.start >= .zero,
                interval / burst.factor >= .milliseconds(1)
            else { throw .burst(factor: burst.factor, interval: interval) }
        }
        let isPlain = prefix.unicodeScalars.allSatisfy { $0.value > 32 && $0 != "\"" && $0 != "\\" && $0.value != 127 }
        guard !prefix.isEmpty, isPlain, prefix.utf8.count <= 200 else { throw .prefix(prefix) }
    }
}

/// What a workload generator was asked and cannot do.
public enum WorkloadError: Error, CustomStringConvertible, Sendable {
    case hosts(Int)
    case series(Int)
    case interval(Duration)
    case burst(factor: Int, interval: Duration)
    case prefix(String)
    case ledger(path: String, reason: String)

    public var description: String {
        switch self {
        case .hosts(let count): "\(count) hosts cannot be played; 1 to \(WorkloadConfiguration.maximumHosts) can"
        case .series(let count):
            "a host cannot have \(count) series; it has 1 to \(WorkloadConfiguration.maximumSeries)"
        case .interval(let interval): "the interval \(interval) is too short; the shortest is 1ms"
        case .burst(let factor, let interval):
            "a burst of \(factor) times the rate cannot be played with an interval of \(interval): times are whole "
                + "milliseconds, and a run of a host needs one of its own; write --burst FACTOR@START+LENGTH, such as 10@20s+5s"
        case .prefix(let text):
            "instances cannot begin with '\(text)': there are up to 200 characters, and no blanks, quotes or backslashes in it"
        case .ledger(let path, let reason): "the ledger \(path) cannot be written: \(reason)"
        }
    }
}
