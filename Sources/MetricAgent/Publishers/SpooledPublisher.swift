public import CommitLog
public import KafkaClient
public import KafkaProtocol
public import Logging
import MetricModel

/// Publishes records through a spool on disk: what it has accepted arrives, once, however often this process or the
/// broker are killed in between. It owns the spool and the connections.
///
///     append ─► SpoolTopic ─► SpoolDrain ─► Publisher ─► broker            (a topic and a drain each)
///
/// Agents publish with it, and so does whoever makes records of its own.
public final class SpooledPublisher: Sendable {
    /// What has become of the records.
    public struct Statistics: Sendable, Equatable {
        /// Taken by the broker.
        public var publishedRecords = 0
        /// Found unreadable in the spool.
        public var lostRecords = 0
        /// In the spool and not taken by the broker yet.
        public var waitingRecords = 0
        public var waitingBytes = 0
        /// What the spool takes on disk, with what is acknowledged and not yet deleted.
        public var spoolBytes = 0
        /// Nil until something was published or an attempt took too long.
        public var isBrokerReachable: Bool?
        /// Connections that are open, and bytes they have carried.
        public var connections = 0
        public var bytesIn = 0
        public var bytesOut = 0

        public init() {}
    }

    /// Time between two checkpoints. After a crash what was acknowledged since the last one is sent again.
    private static let checkpointInterval = Duration.seconds(5)

    private let spool: Spool
    private let publisher: any Publisher
    private let logger: Logger
    private let drains: [SpoolDrain]

    /// Opens or makes the spool in a directory.
    ///
    /// - Parameters:
    ///   - topics: those that will be appended to. Topics that an earlier run left records of are published too.
    ///   - key: decides to which partition all batches go.
    /// - Throws: also when another process has the spool open.
    public convenience init(
        directory: String, limitBytes: Int = 1 << 30, topics: [TopicName], key: String, bootstrap: [BrokerAddress],
        logger: Logger
    ) throws(LogError) {
        try self.init(
            spool: Spool(directory: directory, limitBytes: limitBytes, topics: topics, key: key),
            publisher: BrokerPublisher(bootstrap: bootstrap, instance: key, logger: logger), logger: logger)
    }

    init(spool: Spool, publisher: any Publisher, logger: Logger) {
        self.spool = spool
        self.publisher = publisher
        self.logger = logger
        drains = spool.topics.values.map { SpoolDrain(topic: $0, publisher: publisher, logger: logger) }
    }

    /// Accepts all records of a block as one batch, which has to be within the broker's limit of one: returns once they
    /// are on disk.
    ///
    /// - Parameter topic: one that the publisher was made for.
    public func append(_ block: RecordBlock, to topic: TopicName) async throws(SpoolError) {
        guard let spooled = spool.topics[topic] else { preconditionFailure("\(topic) is none of the spool's topics") }
        guard !block.isEmpty else { return }
        _ = try await BlockingWork.run { () throws(SpoolError) in try spooled.append(block) }
    }

    /// Sends what is in the spool, until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            for drain in drains { group.addTask { await drain.run() } }
            group.addTask { await self.keepCheckpoint() }
        }
    }

    public var statistics: Statistics {
        var statistics = Statistics()
        for drain in drains {
            let counters = drain.counters
            statistics.publishedRecords += counters.publishedRecords
            statistics.lostRecords += counters.lostRecords
        }
        for topic in spool.topics.values {
            let backlog = topic.backlog
            statistics.waitingRecords += Int(backlog.records)
            statistics.waitingBytes += backlog.bytes
        }
        statistics.spoolBytes = spool.usedBytes
        statistics.isBrokerReachable = publisher.isReachable
        statistics.connections = publisher.traffic.openConnections
        statistics.bytesIn = publisher.traffic.bytesIn
        statistics.bytesOut = publisher.traffic.bytesOut
        return statistics
    }

    /// Records in the spool that the broker has not taken.
    public var waitingRecords: Int { Int(spool.topics.values.reduce(0) { $0 + $1.backlog.records }) }

    /// Lets the last records go out, if the broker takes them. `run` has to be running.
    public func sayFarewell(within grace: Duration) async {
        guard publisher.isReachable == true else { return }
        let deadline = ContinuousClock.now + grace
        while !Task.isCancelled, .now < deadline, waitingRecords > 0 {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Ends the connections and closes the spool. `run` has to have ended.
    public func close() async throws {
        await publisher.close()
        let left = waitingRecords
        let spool = spool
        try await BlockingWork.run { () throws(LogError) in try spool.close() }
        if left > 0 {
            logger.info("\(left) records wait in the spool in \(spool.directory) for the next start")
        }
    }

    /// Says what the spool holds from earlier runs, and what was amiss with it.
    public func announce() {
        for topic in spool.topics.values.sorted(by: { $0.name.rawValue < $1.name.rawValue }) {
            for cut in topic.recovery.cuts { logger.warning("spool of topic \(topic.name): \(cut)") }
        }
        let waiting = waitingRecords
        if waiting > 0 { logger.info("\(waiting) records of earlier runs wait in the spool") }
    }

    private func keepCheckpoint() async {
        let complaint = Complaint(logger)
        while (try? await Task.sleep(for: Self.checkpointInterval)) != nil {
            let spool = spool
            do throws(LogError) {
                try await BlockingWork.run { () throws(LogError) in try spool.writeCheckpoint() }
                complaint.settle("the spool's checkpoint is written again")
            } catch {
                complaint.raise("the spool's checkpoint cannot be written; after a crash more is sent again: \(error)")
            }
        }
    }
}

extension SpooledPublisher: RecordPublishing {
    func sink(for topic: TopicName) -> any RecordSink {
        guard let spooled = spool.topics[topic] else { preconditionFailure("\(topic) is none of the spool's topics") }
        return SpoolSink(spool: spooled)
    }

    var isEmpty: Bool { waitingRecords == 0 }

    func add(to statistics: inout AgentStatistics) {
        let own = self.statistics
        statistics.recordsPublished += own.publishedRecords
        statistics.recordsLost += own.lostRecords
        statistics.recordsWaiting += own.waitingRecords
        statistics.bytesWaiting += own.waitingBytes
        statistics.spoolBytes = own.spoolBytes
        statistics.isBrokerReachable = own.isBrokerReachable
        statistics.connections += own.connections
        statistics.bytesIn += own.bytesIn
        statistics.bytesOut += own.bytesOut
    }

    var whereabouts: String { "spool in \(spool.directory)" }

    /// Accepts one lane's records, off the threads that run tasks.
    private struct SpoolSink: RecordSink {
        let spool: SpoolTopic

        var topic: TopicName { spool.name }

        func accept(_ text: [UInt8], sampleCount: Int, timestamp: Timestamp) async throws(SpoolError) {
            let spool = spool
            _ = try await BlockingWork.run { () throws(SpoolError) in try spool.append(text, timestamp: timestamp) }
        }
    }
}
