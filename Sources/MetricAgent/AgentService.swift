import CommitLog
public import CoreMetrics
public import Instruments
import KafkaProtocol
import MetricModel
public import Logging
public import ServiceLifecycle
import Synchronization

/// Collects this host's metrics and publishes them: through a spool on disk to a broker, so that what was accepted
/// arrives, however often agent or broker are killed in between; or straight to subscribers (``DirectPublisher``).
///
///     clock → CollectorLane → SpoolTopic → SpoolDrain → Publisher → broker      (one of each per collector)
///                          └► DirectPublisher → subscribers
///
/// It owns the publisher. `run()` ends at graceful shutdown within two seconds, also while the broker is away; what is
/// left in the spool is sent after the next start.
public final class AgentService: Service, Measured {
    private static let minimumInterval = Duration.milliseconds(10)
    /// At shutdown the last samples may take this long to reach the other side.
    private static let farewell = Duration.milliseconds(500)

    private let configuration: AgentConfiguration
    private let logger: Logger
    private let publishing: any RecordPublishing
    /// One per collector, in the order of the configuration's.
    private let lanes: [CollectorLane]
    private let selfMetrics: SelfMetrics?
    private let selfLane: CollectorLane?
    private let report: Mutex<MetricReport>

    /// Opens the spool, or begins to connect to the subscribers.
    ///
    /// - Parameters:
    ///   - metrics: what the agent reports to; see `reportMetrics()` and `AgentMetrics`.
    ///   - selfMetrics: the metrics of the process, if they are to be published too. There need be no collectors then.
    public convenience init(
        configuration: AgentConfiguration, logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory,
        selfMetrics: SelfMetrics? = nil
    ) throws(AgentError) {
        guard configuration.direct.isEmpty else {
            guard !configuration.drainsOnly else { throw .nothingToDrain }
            try self.init(configuration, logger, metrics, selfMetrics) { _ in
                DirectPublisher(
                    destinations: configuration.direct, instance: configuration.instance,
                    configuration: configuration.directLinks, logger: logger)
            }
            return
        }
        guard !configuration.bootstrap.isEmpty else { throw .noBootstrap }
        try self.init(configuration: configuration, logger: logger, metrics: metrics, selfMetrics: selfMetrics) {
            BrokerPublisher(bootstrap: configuration.bootstrap, instance: configuration.instance, logger: logger)
        }
    }

    /// Opens the spool.
    convenience init(
        configuration: AgentConfiguration, logger: Logger, metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        selfMetrics: SelfMetrics? = nil, makePublisher: () -> any Publisher
    ) throws(AgentError) {
        try self.init(configuration, logger, metrics, selfMetrics) { (topics) throws(AgentError) in
            do throws(LogError) {
                let spool = try Spool(
                    directory: configuration.spoolDirectory, limitBytes: configuration.spoolMaximumBytes,
                    topics: topics, key: configuration.instance)
                return SpooledPublisher(spool: spool, publisher: makePublisher(), logger: logger)
            } catch {
                throw .spool(directory: configuration.spoolDirectory, error)
            }
        }
    }

    private init(
        _ configuration: AgentConfiguration, _ logger: Logger, _ metrics: any MetricsFactory,
        _ selfMetrics: SelfMetrics?, makePublishing: ([TopicName]) throws(AgentError) -> any RecordPublishing
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
        let publishing = try makePublishing(Array(topics.values))
        self.publishing = publishing
        self.configuration = configuration
        self.logger = logger
        let roots = KernelRoots(proc: configuration.procRoot, sys: configuration.sysRoot)
        lanes = configuration.collectors.compactMap { name in
            guard let topic = topics[name.rawValue] else { return nil }
            return CollectorLane(
                name: name.rawValue, collector: name.makeCollector(roots: roots), instance: configuration.instance,
                sink: publishing.sink(for: topic), logger: logger)
        }
        self.selfMetrics = selfMetrics
        if let selfMetrics, let topic = topics[SelfMetrics.name] {
            selfLane = CollectorLane(
                name: SelfMetrics.name, collector: RegistryCollector(registry: selfMetrics.registry),
                instance: configuration.instance, sink: publishing.sink(for: topic), logger: logger,
                prepare: { await selfMetrics.services.report() })
        } else {
            selfLane = nil
        }
        report = Mutex(MetricReport(to: metrics))
    }

    /// Collects and publishes until graceful shutdown or cancellation.
    public func run() async throws {
        announce()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [publishing] in await publishing.run() }
            await cancelWhenGracefulShutdown {
                if self.configuration.drainsOnly { await self.drain() } else { await self.collect() }
            }
            await publishing.sayFarewell(within: Self.farewell)
            group.cancelAll()
        }
        try await publishing.close()
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
        publishing.add(to: &statistics)
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
        while !publishing.isEmpty, (try? await Task.sleep(for: .milliseconds(20))) != nil {}
    }

    private func announce() {
        let names = configuration.collectors.map(\.rawValue).joined(separator: ", ")
        if let selfMetrics {
            logger.debug("publishing the metrics of this process every \(selfMetrics.interval.shortText)")
        }
        if !lanes.isEmpty {
            logger.info(
                "collecting \(names) of \(configuration.instance) every \(configuration.interval.shortText), \(publishing.whereabouts)"
            )
        }
        publishing.announce()
    }
}
