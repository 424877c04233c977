import CommitLog
public import CoreMetrics
public import Instruments
import KafkaProtocol
import MetricModel
public import Logging
public import ServiceLifecycle
import Synchronization

/// Collects this host's metrics and publishes them, through a spool on disk: what was accepted arrives, however often
/// agent or broker are killed in between.
///
///     clock → CollectorLane → SpoolTopic → SpoolDrain → Publisher → broker      (one of each per collector)
///
/// It owns the spool and the connections. `run()` ends at graceful shutdown within two seconds, also while the broker is
/// away; what is left in the spool is sent after the next start.
public final class AgentService: Service, Measured {
    private static let minimumInterval = Duration.milliseconds(10)
    /// Time between two checkpoints. After a crash what was acknowledged since the last one is sent again.
    private static let checkpointInterval = Duration.seconds(5)
    /// At shutdown the last samples may take this long to reach the broker.
    private static let farewell = Duration.milliseconds(500)

    private let configuration: AgentConfiguration
    private let logger: Logger
    private let spool: Spool
    private let publisher: any Publisher
    /// One per collector, in the order of the configuration's.
    private let lanes: [CollectorLane]
    private let selfMetrics: SelfMetrics?
    private let selfLane: CollectorLane?
    private let report: Mutex<MetricReport>
    private let drains: [SpoolDrain]

    /// Opens the spool.
    ///
    /// - Parameters:
    ///   - metrics: what the agent reports to; see `reportMetrics()` and `AgentMetrics`.
    ///   - selfMetrics: the metrics of the process, if they are to be published too. There need be no collectors then.
    public convenience init(
        configuration: AgentConfiguration, logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory,
        selfMetrics: SelfMetrics? = nil
    ) throws(AgentError) {
        guard !configuration.bootstrap.isEmpty else { throw .noBootstrap }
        try self.init(configuration: configuration, logger: logger, metrics: metrics, selfMetrics: selfMetrics) {
            BrokerPublisher(bootstrap: configuration.bootstrap, instance: configuration.instance, logger: logger)
        }
    }

    init(
        configuration: AgentConfiguration, logger: Logger, metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        selfMetrics: SelfMetrics? = nil, makePublisher: () -> any Publisher
    ) throws(AgentError) {
        guard !configuration.collectors.isEmpty || selfMetrics != nil else { throw .noCollectors }
        guard !configuration.instance.isEmpty else { throw .emptyInstance }
        for interval in [configuration.interval, selfMetrics?.interval].compactMap(\.self) {
            guard interval >= Self.minimumInterval else {
                throw .intervalTooShort(interval, minimum: Self.minimumInterval)
            }
        }
        var topics: [String: TopicName] = [:]
        do throws(InvalidTopicName) {
            for name in configuration.collectors.map(\.rawValue) + (selfMetrics == nil ? [] : [SelfMetrics.name]) {
                topics[name] = try TopicName(configuration.topicPrefix + name)
            }
        } catch {
            throw .topicName(error)
        }
        do throws(LogError) {
            spool = try Spool(
                directory: configuration.spoolDirectory, limitBytes: configuration.spoolMaximumBytes,
                topics: topics.values, key: configuration.instance)
        } catch {
            throw .spool(directory: configuration.spoolDirectory, error)
        }
        self.configuration = configuration
        self.logger = logger
        let publisher = makePublisher()
        self.publisher = publisher
        let roots = KernelRoots(proc: configuration.procRoot, sys: configuration.sysRoot)
        lanes = configuration.collectors.compactMap { [spool] name in
            guard let topic = topics[name.rawValue], let spooled = spool.topics[topic] else { return nil }
            return CollectorLane(
                name: name.rawValue, collector: name.makeCollector(roots: roots), instance: configuration.instance,
                spool: spooled, logger: logger)
        }
        self.selfMetrics = selfMetrics
        if let selfMetrics, let topic = topics[SelfMetrics.name], let spooled = spool.topics[topic] {
            selfLane = CollectorLane(
                name: SelfMetrics.name, collector: RegistryCollector(registry: selfMetrics.registry),
                instance: configuration.instance, spool: spooled, logger: logger,
                prepare: { await selfMetrics.services.report() })
        } else {
            selfLane = nil
        }
        report = Mutex(MetricReport(to: metrics))
        drains = spool.topics.values.map { SpoolDrain(topic: $0, publisher: publisher, logger: logger) }
    }

    /// Collects and publishes until graceful shutdown or cancellation.
    public func run() async throws {
        announce()
        await withTaskGroup(of: Void.self) { group in
            for drain in drains { group.addTask { await drain.run() } }
            group.addTask { await self.keepCheckpoint() }
            await cancelWhenGracefulShutdown {
                if self.configuration.drainsOnly { await self.drain() } else { await self.collect() }
            }
            await sayFarewell()
            group.cancelAll()
        }
        await publisher.close()
        try await close()
    }

    /// A snapshot of what happened since the start.
    public var statistics: AgentStatistics {
        var statistics = AgentStatistics()
        for lane in lanes + (selfLane.map { [$0] } ?? []) {
            let counters = lane.counters
            statistics.samplesCollected += counters.samplesCollected
            statistics.samplesAccepted += counters.samplesAccepted
            statistics.samplesRefused += counters.samplesRefused
            statistics.ticksMissed += counters.ticksMissed
        }
        for (name, lane) in zip(configuration.collectors, lanes) {
            statistics.collectorErrors[name] = lane.counters.errors
        }
        for drain in drains {
            let counters = drain.counters
            statistics.recordsPublished += counters.publishedRecords
            statistics.recordsLost += counters.lostRecords
        }
        for topic in spool.topics.values {
            let backlog = topic.backlog
            statistics.recordsWaiting += Int(backlog.records)
            statistics.bytesWaiting += backlog.bytes
        }
        statistics.spoolBytes = spool.usedBytes
        statistics.isBrokerReachable = publisher.isReachable
        return statistics
    }

    public func reportMetrics() async {
        let statistics = statistics
        report.withLock { $0.report { statistics.report(to: &$0) } }
    }

    private func collect() async {
        let interval = configuration.interval
        await withTaskGroup(of: Void.self) { group in
            for lane in lanes { group.addTask { await lane.run(every: interval) } }
            if let selfLane, let selfMetrics { group.addTask { await selfLane.run(every: selfMetrics.interval) } }
        }
    }

    /// Waits until the spool is empty.
    private func drain() async {
        while waitingRecords > 0, (try? await Task.sleep(for: .milliseconds(20))) != nil {}
    }

    private var waitingRecords: Int64 { spool.topics.values.reduce(0) { $0 + $1.backlog.records } }

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

    /// Lets the last samples go out, if the broker takes them.
    private func sayFarewell() async {
        guard publisher.isReachable == true else { return }
        let deadline = ContinuousClock.now + Self.farewell
        while !Task.isCancelled, .now < deadline, waitingRecords > 0 {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private func close() async throws {
        let left = waitingRecords
        let spool = spool
        try await BlockingWork.run { () throws(LogError) in try spool.close() }
        if left > 0 {
            logger.info("\(left) records wait in the spool in \(spool.directory) for the next start")
        }
    }

    private func announce() {
        let names = configuration.collectors.map(\.rawValue).joined(separator: ", ")
        if let selfMetrics {
            logger.debug("publishing the metrics of this process every \(selfMetrics.interval.shortText)")
        }
        if !lanes.isEmpty {
            logger.info(
                "collecting \(names) of \(configuration.instance) every \(configuration.interval.shortText), spool in \(spool.directory)"
            )
        }
        for topic in spool.topics.values.sorted(by: { $0.name.rawValue < $1.name.rawValue }) {
            for cut in topic.recovery.cuts { logger.warning("spool of topic \(topic.name): \(cut)") }
        }
        let waiting = waitingRecords
        if waiting > 0 { logger.info("\(waiting) records of earlier runs wait in the spool") }
    }
}
