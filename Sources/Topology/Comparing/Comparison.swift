/// Everything that a comparison has found out: what the tables, the report and the JSON are made of.
public struct Comparison: Codable, Sendable {
    /// Raised when a field changes its meaning, so that `--baseline` does not compare what cannot be.
    public static let currentFormat = 2

    public var format = Comparison.currentFormat
    public var origin: Origin
    public var isQuick: Bool
    public var load: StageLoad
    /// Samples a second that are published where a stage's limit is looked for.
    public var peakSamplesPerSecond: Int
    /// In the order of the evolution.
    public var stages: [StageResult] = []
    public var modes: [ModeResult] = []
    public var scale: [ScaleResult] = []
    /// Seconds that all of it took.
    public var seconds = 0.0

    /// Where and with what it was measured.
    public struct Origin: Codable, Sendable {
        public var date: String
        public var version: String
        public var command: String
        public var processor: String
        public var cores: Int
        public var memoryBytes: Int
        public var system: String
    }
}

/// How long after they were to be collected samples were committed, or had arrived, in milliseconds.
public struct LatencyResult: Codable, Hashable, Sendable {
    public var samples: Int
    public var p50: Double
    public var p99: Double
    public var p999: Double
    public var maximum: Double
}

/// One stage.
public struct StageResult: Codable, Sendable {
    public var name: String
    public var title: String
    public var story: String
    public var isDirect: Bool
    public var shape: StageShape
    /// Established TCP connections among its processes while it ran.
    public var establishedConnections = 0
    /// Lines of settings over all its processes.
    public var configurationLines = 0
    /// Those of them that name another process.
    public var addressLines = 0
    public var steady: SteadyResult?
    public var peak: SteadyResult?
    public var additions: [AdditionResult] = []
    public var faults: [FaultResult] = []
    /// Over all runs of the stage.
    public var recount = RecountResult()
}

/// A stage left to itself for a while, after it has got going: nothing of its start is in these figures but
/// ``secondsUntilFresh``, ``expected`` and ``lost``.
public struct SteadyResult: Codable, Sendable {
    /// From the start, or the last change of the load, until every subscriber knew all its series and had nothing but fresh
    /// samples. Nil if that did not happen in time: then what was measured is a stage that does not keep up.
    public var secondsUntilFresh: Double?
    /// How long it was measured.
    public var seconds: Double
    /// Samples a second that publishers were to make.
    public var offeredPerSecond: Double
    /// Samples a second that were committed, over all subscribers.
    public var deliveredPerSecond: Double
    /// The same for each subscriber.
    public var subscribers: [SubscriberRate]
    /// Collected → committed.
    public var latency: LatencyResult
    /// Collected → read by a subscriber and, in the mode `realtime`, matched.
    public var arrival: LatencyResult
    public var roles: [RoleCost]
    /// Sent by any of the processes, for each sample delivered.
    public var wireBytesPerSample: Double
    /// Published for subscribers from the start, or the last change, until it was left alone.
    public var expected: Int
    /// Of those, what is in the database of none of the subscribers that it was meant for.
    public var lost: Int

    public struct SubscriberRate: Codable, Sendable {
        public var name: String
        public var perSecond: Double
    }

    /// CPU seconds for a million samples delivered, over all roles.
    public var cpuSecondsPerMillion: Double { roles.reduce(0) { $0 + $1.cpuSecondsPerMillion } }
    public var memoryBytes: Int { roles.reduce(0) { $0 + $1.memoryBytes } }

    /// The part of the CPU time that a role takes, from 0 to 1.
    public func share(of role: StageRole) -> Double {
        let all = cpuSecondsPerMillion
        return all > 0 ? (roles.first { $0.role == role }?.cpuSecondsPerMillion ?? 0) / all : 0
    }
}

/// What the processes of one role use.
public struct RoleCost: Codable, Hashable, Sendable {
    public var role: StageRole
    public var processes: Int
    public var cpuSecondsPerMillion: Double
    /// Resident at the end, over all of them.
    public var memoryBytes: Int
}

/// What it took to add something while a stage ran.
public struct AdditionResult: Codable, Hashable, Sendable {
    public enum Addition: String, CaseIterable, Codable, Sendable {
        case publisher, subscriber, kind
    }

    public var addition: Addition
    /// Processes that had to be edited and restarted, beside the new one.
    public var touched: Int
    /// Lines of their settings that had to be edited.
    public var editedLines: Int
    /// Connections that the newcomer made necessary.
    public var newConnections: Int
    /// Samples that nobody collected meanwhile, because their publisher was being restarted.
    public var notCollected: Int
    /// Samples that were published meanwhile and did not arrive.
    public var lost: Int
    /// From the start of the newcomer until its data was in every database it was meant for; nil if it never was.
    public var secondsUntilData: Double?
}

/// What a fault did to a stage.
public struct FaultResult: Codable, Hashable, Sendable {
    public var fault: Fault
    /// How long it lasted.
    public var seconds: Double
    /// Samples that were to be collected in this time or until recovery, and are in the database of no subscriber meant.
    public var lost: Int
    /// Of those, what subscribers lost that the fault was not aimed at.
    public var othersLost: Int
    /// Records that arrived again and were recognised.
    public var repeated: Int
    /// Samples that were committed more than a second after they were collected, by all subscribers.
    public var delayed: Int
    /// The longest time from collected to committed, in milliseconds, of subscribers that the fault was not aimed at.
    public var othersMaximum: Double
    /// The most records that waited at publishers meanwhile.
    public var waitingRecords: Int
    /// From the end of the fault until every subscriber had fresh samples again; nil if that did not happen in time.
    public var recoverySeconds: Double?
}

/// What is done to a stage.
public enum Fault: String, CaseIterable, Codable, Hashable, Sendable {
    case burst
    case slowSubscriber = "slow-subscriber"
    case subscriberKilled = "subscriber-killed"
    case brokerKilled = "broker-killed"
    case networkCut = "network-cut"
}

/// Ledgers against databases, over all subscribers.
public struct RecountResult: Codable, Hashable, Sendable {
    public var expected = 0
    public var stored = 0
    public var lost = 0
    /// Stored without having been published.
    public var unexpected = 0
    /// Counted more or less often in windows than stored.
    public var countedWrong = 0

    public init() {}

    mutating func add(_ recount: Recount) {
        expected += recount.expected
        stored += recount.stored
        lost += recount.lost
        unexpected += recount.unexpected
        countedWrong += recount.countedWrong
    }
}

/// The publish/subscribe stage in one processing mode.
public struct ModeResult: Codable, Sendable {
    public var mode: String
    public var steady: SteadyResult
}

/// A direct mesh or a broker at a size.
public struct ScaleResult: Codable, Sendable {
    public var stage: String
    public var isDirect: Bool
    public var publishers: Int
    public var subscribers: Int
    public var connections: Int
    public var establishedConnections: Int
    public var cpuSecondsPerMillion: Double
    public var memoryBytes: Int
    public var latency: LatencyResult
}
