public import CoreMetrics
public import Instruments
public import KafkaClient
internal import KafkaProtocol
public import Logging
internal import SeriesStore
public import ServiceLifecycle
internal import Synchronization

/// Reads the metric topics as a member of a consumer group and aggregates them into SQLite; emits what rules say. It takes
/// records from publishers that connect to it directly, too, or only from them.
///
/// Samples, windows, offsets and agent sequences are committed in one transaction, and reading starts where the
/// database stopped; so every sample counts once, whatever is killed when. `init` opens the database, `run` reads
/// until the service is shut down, commits what is in hand, leaves the group and closes the database.
///
///     DirectListener ─┐
///     consumer ─► Intake (decodes) ─► CommitLoop ─► SeriesWriter
///                    ▲                     │
///         Assignments┘ (start, flush)      ├─► OffsetFollower (the group's offsets), RejectionPublisher
///                                          └─► Rereading (when another process was first)
///
///     WindowCloser ─► RuleEvaluator ─► outbox ─► Emitter        in modes that close windows
///
/// Several processes of one group may share a database. Each transaction sees whether another one has stored meanwhile what
/// this one holds; if so this one drops it and reads on from what is stored.
public final class SubscriberService: Service, Measured, Sendable {
    /// How long a shutdown waits for the last commit. What is not committed by then is read again at the next start.
    private static let lastCommitPatience = Duration.milliseconds(1200)
    /// How often the coordinator hears of it, at least, and it of a rebalance.
    private static let heartbeatInterval = Duration.seconds(1)

    private let configuration: SubscriberConfiguration
    private let logger: Logger
    private let rejectedTopic: TopicName
    private let alertsTopic: TopicName
    private let writer: SeriesWriter
    /// Its place among the processes of the database, where it is known by that.
    private let slot: MemberSlot?
    private let store = BlockingQueue(label: "weir.store")
    /// For evaluating rules, which takes longer than a commit may wait.
    private let ruleWork = BlockingQueue(label: "weir.rules")
    private let keeper = StatisticsKeeper()
    private let lagTimers: LagTimers
    private let report: Mutex<MetricReport>
    private let direct: DirectCounters?
    private let listeningPort = Mutex<Int?>(nil)
    /// What the connections to brokers carry.
    private let clusterTraffic = ConnectionTraffic()

    /// Opens the database, or creates it.
    ///
    /// - Parameter metrics: what the subscriber reports to; see `reportMetrics()` and `SubscriberMetrics`.
    /// - Throws: `StoreError`, `RuleSelectionError`, or `InvalidTopicName` for the topics of rejected lines and of alerts.
    public init(
        configuration: SubscriberConfiguration, logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory
    ) throws {
        self.configuration = configuration
        self.logger = logger
        direct = configuration.direct.map { _ in DirectCounters() }
        lagTimers = LagTimers(metrics)
        report = Mutex(MetricReport(to: metrics))
        rejectedTopic = try TopicName(configuration.rejectedTopic)
        alertsTopic = try TopicName(configuration.alertsTopic)
        var store = SeriesWriter.Configuration()
        store.retention = configuration.retention
        store.limits = configuration.seriesLimits
        store.rules = try RuleSelection.rules(configuration)
        store.group = configuration.group
        store.maximumBytes = configuration.maximumDatabaseBytes
        store.memberPatience = configuration.memberPatience
        writer = try SeriesWriter(path: configuration.databasePath, configuration: store, logger: logger)
        let needsPlace = configuration.identity == .placeAtDatabase && !configuration.bootstrap.isEmpty
        slot = needsPlace ? try MemberSlot(of: writer) : nil
    }

    /// What has been done so far. Any thread.
    public var statistics: SubscriberStatistics {
        var statistics = keeper.snapshot
        statistics.databaseBytes = writer.byteCount
        statistics.direct = direct?.statistics
        return statistics
    }

    /// How long samples took from being collected to being committed. Any thread.
    public var latency: LatencyHistogram { keeper.latency }

    /// How long samples took from being collected until they had been read and, in the mode `realtime`, matched: before they
    /// are committed. What is read again counts again. Any thread.
    public var arrival: LatencyHistogram { keeper.arrival }

    /// The port on which direct publishers are served; nil as long as none are.
    public var directPort: Int? { listeningPort.withLock { $0 } }

    /// What all connections carry: those to brokers, and those of direct publishers.
    public var traffic: [ConnectionTraffic] { [clusterTraffic] + (direct.map { [$0.traffic] } ?? []) }

    public func reportMetrics() async {
        let statistics = statistics
        let latency = latency
        report.withLock { report in
            report.report { report in
                statistics.report(to: &report)
                latency.report(to: &report)
            }
        }
    }

    /// - Throws: `KafkaClientError` for what no retry mends (an invalid pattern, a group of another protocol), and
    ///   `StoreError` when the database is beyond help. A cluster that cannot be reached is waited for.
    public func run() async throws {
        let cluster = makeCluster()
        let producer = cluster.map { Producer(cluster: $0) }
        let outcome: Result<Void, any Error>
        do {
            try await work(cluster, producer)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await producer?.close(within: .milliseconds(100))
        cluster?.close()
        try await store.run { [writer] in try writer.close() }
        try outcome.get()
    }

    /// Nil where there are no brokers.
    private func makeCluster() -> Cluster? {
        guard !configuration.bootstrap.isEmpty else { return nil }
        var client = ClientConfiguration(bootstrap: configuration.bootstrap, clientID: "weir-subscriber")
        client.traffic = clusterTraffic
        return Cluster(configuration: client, logger: logger)
    }

    private var consumerConfiguration: GroupConsumerConfiguration {
        var consumer = GroupConsumerConfiguration(
            group: configuration.group,
            topics: .pattern(
                configuration.topicPattern, excluding: [configuration.rejectedTopic, configuration.alertsTopic]))
        consumer.sessionTimeout = configuration.sessionTimeout
        consumer.heartbeatInterval = min(configuration.sessionTimeout / 3, Self.heartbeatInterval)
        if case .named(let name) = configuration.identity { consumer.instanceID = name }
        if let slot {
            consumer.instanceID = slot.name
            consumer.leavesWhenStatic = true
        }
        // What stays with a member is read on while other partitions move.
        consumer.assignors = [.cooperativeSticky]
        // Offsets that transactions leave without records are told from records that were deleted.
        consumer.fetching.deliversEmptyBatches = true
        return consumer
    }

    /// Nil in modes that raise none, and where there is no cluster to publish them to.
    private func makeAlerts(_ cluster: Cluster?, _ producer: Producer?) -> Alerts? {
        guard configuration.mode.actsOnArrival, let cluster, let producer else { return nil }
        return Alerts(
            configuration.conditions,
            publisher: AlertPublisher(
                cluster: cluster, producer: producer, topic: alertsTopic, isNeeded: !configuration.conditions.isEmpty,
                generator: configuration.group, logger: logger))
    }

    private func work(_ cluster: Cluster?, _ producer: Producer?) async throws {
        let alerts = makeAlerts(cluster, producer)
        let intake = Intake(
            formats: configuration.formats, policy: configuration.commitPolicy, mode: configuration.mode,
            watermark: configuration.watermark, observer: alerts, statistics: keeper, logger: logger)
        let database = CommittedProgress(writer: writer, store: store)
        let follower = OffsetFollower(intake: intake, statistics: keeper, logger: logger)
        let consumer = try cluster.map { cluster in
            try GroupConsumer(
                cluster: cluster, configuration: consumerConfiguration,
                listener: Assignments(
                    intake: intake, cluster: cluster, database: database, follower: follower, logger: logger))
        }
        let listener = try await listen(into: intake)
        follower.attach(consumer)
        defer { follower.attach(nil) }
        let committing = CommitLoop(
            intake: intake, writer: writer, store: store,
            rereading: Rereading(intake: intake, database: database, consumer: consumer, logger: logger),
            rejections: RejectionPublisher(producer: producer, topic: rejectedTopic, logger: logger), alerts: alerts,
            policy: configuration.commitPolicy, statistics: keeper, lagTimers: lagTimers,
            mentions: DropMentions(logger), skews: SkewMentions(logger), logger: logger)

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await Self.commit(committing) }
            group.addTask { await follower.run() }
            if configuration.mode.closesWindows, let producer { try addEmission(to: &group, intake, producer) }
            if let alerts { group.addTask { await alerts.run(intake, statistics: self.keeper) } }
            group.addTask { try await Self.keepUp(committing) }
            group.addTask {
                try await Self.read(consumer, listener, into: intake)
                await intake.finish()
            }
            // The reader ends at a shutdown, then the commit loop, having committed everything.
            try await group.next()
            try await group.next()
            group.cancelAll()
        }
    }

    /// Has windows closed and emitted until the group is cancelled. What is left then is due at the next start.
    private func addEmission(
        to group: inout ThrowingTaskGroup<Void, any Error>, _ intake: Intake, _ producer: Producer
    ) throws {
        let (arrivals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let closer = WindowCloser(
            intake: intake, writer: writer, evaluator: try RuleEvaluator(writer), store: ruleWork,
            maximumWaiting: configuration.maximumWaitingEmissions, statistics: keeper, logger: logger,
            emissions: continuation)
        let emitter = Emitter(
            writer: writer, store: ruleWork, producer: producer, identity: try writer.identity(), statistics: keeper,
            logger: logger, arrivals: arrivals)
        group.addTask {
            defer { try? closer.evaluator.close() }
            try await closer.run()
        }
        group.addTask { try await emitter.run() }
    }

    /// Nil where no direct publishers are served.
    private func listen(into intake: Intake) async throws -> DirectListener? {
        guard let listening = configuration.direct, let direct else { return nil }
        let listener = try await DirectListener(listening, into: intake, counters: direct, logger: logger)
        listeningPort.withLock { $0 = listener.port }
        return listener
    }

    /// Reads from topics and direct links until the service is shut down.
    private static func read(
        _ consumer: GroupConsumer?, _ listener: DirectListener?, into intake: Intake
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let consumer { group.addTask { try await read(consumer, into: intake) } }
            if let listener { group.addTask { try await listener.run() } }
            try await group.waitForAll()
        }
    }

    /// Reads until the service is shut down; then the group has been left.
    private static func read(_ consumer: GroupConsumer, into intake: Intake) async throws {
        try await cancelWhenGracefulShutdown {
            do {
                var reading = await intake.reading
                let batches = consumer.makeAsyncIterator()
                while let batch = try await batches.next() {
                    let reception = try await intake.receive(batch, of: reading)
                    reading = reception.reading
                    // Of a partition that is gone there is nothing to seek.
                    if let offset = reception.seek { try? consumer.seek(batch.topicPartition, to: offset) }
                }
            } catch is CancellationError {}
        }
        await consumer.close()
    }

    /// Until cancelled; the end of it is no reason to end the service.
    private static func keepUp(_ loop: CommitLoop) async throws {
        do {
            try await loop.keepUp()
        } catch is CancellationError {}
    }

    /// Commits until the intake is finished, but at a shutdown no longer than that is waited for.
    private static func commit(_ loop: CommitLoop) async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await loop.run() }
                group.addTask {
                    try await gracefulShutdown()
                    try await Task.sleep(for: lastCommitPatience)
                }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            await loop.intake.commitEnded()
            throw error
        }
        await loop.intake.commitEnded()
    }
}
