internal import Broker
public import FoundationEssentials
internal import KafkaClient
internal import MetricAgent
internal import MetricRegistry
public import Subscriber

/// What one process of a pipeline has done and taken since its start, at one moment: what `--report FILE` writes, as JSON
/// with names in snake case. docs/direct.md lists it. Sections that a role does not have are missing.
public struct ProcessReport: Codable, Sendable, Equatable {
    public struct Process: Codable, Sendable, Equatable {
        public var cpuSeconds = 0.0
        public var rssBytes = 0
        public var maxRssBytes = 0
        public var openDescriptors = 0
    }

    /// The connections of brokers, clients and direct links: how many are open, and the bytes they have carried, as the
    /// program hands them to the sockets.
    public struct Network: Codable, Sendable, Equatable {
        public var connections = 0
        public var bytesIn = 0
        public var bytesOut = 0
    }

    /// Of an agent, or a workload generator.
    public struct Publisher: Codable, Sendable, Equatable {
        /// One destination of direct links; `offered = sent + waiting + lost`.
        public struct Direct: Codable, Sendable, Equatable {
            public var destination = ""
            public var isConnected = false
            /// Made so far.
            public var connections = 0
            public var offeredRecords = 0
            public var offeredSamples = 0
            public var sentRecords = 0
            public var sentSamples = 0
            public var sentBytes = 0
            public var waitingRecords = 0
            public var waitingSamples = 0
            /// By reason: `queue_full`, `connection_lost`, `shutdown`.
            public var lostRecords: [String: Int] = [:]
            public var lostSamples: [String: Int] = [:]
        }

        public var collectedSamples = 0
        public var refusedSamples = 0
        /// Handed to the publisher: in the spool, or offered to the links.
        public var offeredRecords = 0
        public var offeredSamples = 0
        /// Through a spool: acknowledged by the broker.
        public var publishedRecords = 0
        /// Found unreadable in the spool.
        public var lostRecords = 0
        public var waitingRecords = 0
        public var waitingBytes = 0
        /// Of a generator: how long after its time a run was made, the longest.
        public var longestLatenessMs: Int?
        public var direct: [Direct]?
    }

    public struct Subscriber: Codable, Sendable, Equatable {
        public struct Direct: Codable, Sendable, Equatable {
            public var connections = 0
            public var accepted = 0
            public var records = 0
            public var bytes = 0
            public var brokenRecords = 0
            public var unreadableConnections = 0
            public var limitsReached: [String: Int] = [:]
        }

        public var records = 0
        public var samplesStored = 0
        public var duplicateRecords = 0
        public var duplicateSamples = 0
        public var rejectedLines = 0
        public var expiredSamples = 0
        public var commits = 0
        public var series = 0
        public var lagRecords = 0
        public var databaseBytes = 0
        /// From collection to commit, each sample counted once.
        public var latency = LatencyHistogram()
        /// From collection to having been read and, in the mode `realtime`, matched.
        public var arrival = LatencyHistogram()
        public var direct: Direct?
    }

    public struct Broker: Codable, Sendable, Equatable {
        public var connections = 0
        public var acceptedConnections = 0
        public var requests = 0
        public var requestBytes = 0
        public var responseBytes = 0
        public var producedRecords = 0
        public var producedBytes = 0
        public var fetchedBytes = 0
    }

    /// `agent`, `generate`, `subscriber` or `broker`.
    public var role: String
    public var pid: Int
    /// When it was made, in milliseconds since 1970.
    public var timeMs: Int64
    public var uptimeSeconds = 0.0
    /// The last one: everything has ended.
    public var final = false
    public var process = Process()
    public var network = Network()
    public var publisher: Publisher?
    public var subscriber: Subscriber?
    public var broker: Broker?

    /// Reads a report that a process has written. Blocks on the disk.
    public init(reading path: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(ProcessReport.self, from: try Data(contentsOf: URL(filePath: path)))
    }

    public func json(isPretty: Bool = false) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting =
            isPretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
