import CommitLog
import CoreMetrics
import Glibc
import Logging
import NIOCore
import NIOPosix

/// A broker between start and stop: its threads, its lock on the data directory, its listener.
struct RunningBroker {
    /// For syncs and cold reads; enough that a few catching-up consumers do not hold up all syncs.
    private static let poolThreads = 4
    private static let maximumEventLoops = 4
    private static let acceptBacklog: Int32 = 256

    let node: BrokerNode
    private let lock: FileLock
    private let eventLoops: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let checks: [RepeatedTask]

    // MARK: Starting

    /// - Throws: `BrokerError`; nothing is left running then.
    static func start(
        _ configuration: BrokerConfiguration, _ logger: Logger, _ clock: BrokerClock, _ fileSystem: any FileSystem,
        _ metrics: any MetricsFactory
    ) async throws -> RunningBroker {
        self.raiseDescriptorLimit(logger)
        let lock = try self.lock(configuration.dataDirectory)
        let loops = configuration.eventLoops ?? min(System.coreCount, self.maximumEventLoops)
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: max(1, loops))
        let threads = NIOThreadPool(numberOfThreads: self.poolThreads)
        threads.start()
        let counters = BrokerCounters(metrics: metrics)
        let pool = DiskPool(threads, waiting: counters.poolQueue)
        var opened: BrokerNode?
        do {
            let node = try await pool.runIfActive { [eventLoop = eventLoops.next()] in
                try self.open(configuration, logger, clock, fileSystem, eventLoop, pool, counters, metrics)
            }
            opened = node
            let listener = try await self.listen(node, eventLoops)
            let port = listener.localAddress?.port ?? configuration.port
            node.listens(on: port)
            node.housekeeper.start(on: eventLoops.next())
            logger.info("listening on \(configuration.host):\(port), data in \(configuration.dataDirectory)")
            return RunningBroker(
                node: node, lock: lock, eventLoops: eventLoops, listener: listener,
                checks: self.checkConnections(of: node, eventLoops.next()))
        } catch {
            opened?.transactions.stop()
            opened?.groups.stop()
            opened?.catalog.close()
            try? await pool.shutdownGracefully()
            try? await eventLoops.shutdownGracefully()
            throw error
        }
    }

    /// Looks for idle and stalled connections often enough that none lives much longer than it should.
    private static func checkConnections(of node: BrokerNode, _ eventLoop: any EventLoop) -> [RepeatedTask] {
        func every(_ time: TimeAmount, _ check: @escaping @Sendable () -> Void) -> RepeatedTask {
            let interval = max(.milliseconds(1), time)
            return eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in check() }
        }
        let limits = node.configuration.limits.connection
        return [
            every(.nanoseconds(limits.idleTime.nanoseconds / 8)) { node.connections.forEach { $0.closeIfIdle() } },
            every(.nanoseconds(limits.stallTime.nanoseconds / 2)) { node.cutStalledConnections() },
        ]
    }

    /// Each connection and each segment takes a file descriptor.
    private static func raiseDescriptorLimit(_ logger: Logger) {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        if setrlimit(resource, &limit) != 0 {
            logger.warning("the limit of open files cannot be raised: \(String(cString: strerror(errno)))")
        }
    }

    private static func lock(_ directory: String) throws(BrokerError) -> FileLock {
        do throws(LogError) {
            return try FileLock(directory: directory)
        } catch {
            if case .locked = error { throw .directoryLocked(reason: error.description) }
            throw .directoryUnusable(path: directory, reason: error.description)
        }
    }

    private static func open(
        _ configuration: BrokerConfiguration, _ logger: Logger, _ clock: BrokerClock, _ fileSystem: any FileSystem,
        _ eventLoop: any EventLoop, _ pool: DiskPool, _ counters: BrokerCounters, _ metrics: any MetricsFactory
    ) throws(BrokerError) -> BrokerNode {
        let open = OpenTransactions()
        let disk = DiskSpace(
            directory: configuration.dataDirectory, fileSystem: fileSystem, limits: configuration.limits, clock: clock,
            logger: logger, counters: counters)
        var logConfiguration = configuration.log
        logConfiguration.maximumProducers = configuration.limits.producersPerPartition
        let resources = PartitionResources(
            logConfiguration: logConfiguration, fileSystem: fileSystem, limits: configuration.limits, pool: pool,
            clock: clock, counters: counters, transactions: open, logger: logger, disk: disk)
        let settings = Catalog.Settings(
            dataDirectory: configuration.dataDirectory, defaultPartitions: max(1, configuration.defaultPartitions),
            limits: configuration.limits, offsetsPartitions: max(1, configuration.groups.offsetsPartitions),
            transactionsPartitions: max(1, configuration.transactions.topicPartitions))
        let catalog = try Catalog(settings: settings, resources: resources)
        let groups = GroupCoordinator(
            eventLoop: eventLoop, settings: configuration.groups,
            topic: OffsetsTopic(catalog: catalog, clock: clock, logger: logger), clock: clock, logger: logger,
            durability: configuration.durability, limits: configuration.limits, counters: counters)
        let producerIDs = try ProducerIDAllocator(
            dataDirectory: configuration.dataDirectory, fileSystem: fileSystem)
        let transactions = TransactionCoordinator(
            configuration: configuration,
            around: TransactionCoordinator.Surroundings(
                topic: TransactionsTopic(catalog: catalog, clock: clock, logger: logger), groups: groups,
                producerIDs: producerIDs, open: open, pool: pool, counters: counters, clock: clock, logger: logger))
        return BrokerNode(
            configuration: configuration, logger: logger, clock: clock, pool: pool, catalog: catalog, groups: groups,
            transactions: transactions, producerIDs: producerIDs, counters: counters, metrics: metrics, disk: disk)
    }

    private static func listen(_ node: BrokerNode, _ eventLoops: MultiThreadedEventLoopGroup) async throws
        -> any Channel
    {
        let (host, port) = (node.configuration.host, node.configuration.port)
        do {
            return try await ServerBootstrap(group: eventLoops)
                .serverChannelOption(.backlog, value: self.acceptBacklog)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.recvAllocator, value: ReceiveBuffers())
                // NIO keeps as many buffers per connection, however long it is idle; they are given up here instead.
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ConnectionHandler(node: node))
                    }
                }
                .bind(host: host, port: port).get()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw BrokerError.addressInUse(host: host, port: port)
        } catch let error as IOError {
            throw BrokerError.cannotListen(
                host: host, port: port, reason: String(cString: strerror(error.errnoCode)))
        } catch {
            throw BrokerError.cannotListen(host: host, port: port, reason: "\(error)")
        }
    }

    // MARK: Stopping

    /// Stops accepting, answers what is queued, closes the logs.
    func stop(patience: Duration) async {
        for check in self.checks { check.cancel() }
        async let housekeeping: Void = self.node.housekeeper.stop()
        try? await self.listener.close()
        self.node.beginStopping()
        self.node.endReporting()
        self.node.transactions.stop()
        self.node.groups.stop()
        self.node.catalog.releaseWaits()
        await self.node.connections.drain(patience: patience)
        await housekeeping
        // What the pool still does for connections is done before the logs close.
        try? await self.node.pool.runIfActive { [catalog = self.node.catalog] in catalog.close() }
        try? await self.node.pool.shutdownGracefully()
        try? await self.eventLoops.shutdownGracefully()
        self.node.logger.info("stopped")
    }
}
