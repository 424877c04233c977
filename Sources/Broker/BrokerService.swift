import CommitLog
public import CoreMetrics
import Glibc
public import Instruments
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// A Kafka broker as a long-lived service: `run()` opens the data directory, listens, and serves until it is shut down
/// or cancelled. Owns its threads; any thread may ask for `listening()` and `statistics`.
public final class BrokerService: Service, Measured, Sendable {
    /// What connections may take to end at a shutdown before they are cut.
    private static let drainPatience = Duration.seconds(1)

    private let configuration: BrokerConfiguration
    private let logger: Logger
    private let clock: BrokerClock
    private let fileSystem: any FileSystem
    private let metrics: any MetricsFactory
    private let phase = Mutex(Phase.idle)
    private let port = Announcement<Int>()

    private enum Phase {
        case idle
        case starting
        case running(BrokerNode)
        case ended(BrokerStatistics)
    }

    /// - Parameter metrics: what the broker reports to; see `reportMetrics()` and `BrokerMetrics`.
    public convenience init(
        configuration: BrokerConfiguration, logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.init(
            configuration: configuration, logger: logger, clock: .system, fileSystem: POSIXFileSystem(),
            metrics: metrics)
    }

    /// - Parameter fileSystem: holds the logs, the catalogue and the producer ids; the lock is in the real one.
    init(
        configuration: BrokerConfiguration, logger: Logger, clock: BrokerClock, fileSystem: any FileSystem,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance
    ) {
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.fileSystem = fileSystem
        self.metrics = metrics
    }

    /// The port, once connections are accepted.
    ///
    /// - Throws: why the broker did not start, as `run()` does; `CancellationError` if the caller is cancelled.
    public func listening() async throws -> Int {
        try await self.port.value()
    }

    public var statistics: BrokerStatistics {
        switch self.phase.withLock({ $0 }) {
        case .running(let node): node.statistics
        case .ended(let last): last
        case .idle, .starting: BrokerStatistics()
        }
    }

    /// Does nothing while the broker is not running.
    public func reportMetrics() async {
        guard case .running(let node) = self.phase.withLock({ $0 }) else { return }
        await node.reportMetrics()
    }

    /// What the broker is made of, while it runs.
    var node: BrokerNode? {
        if case .running(let node) = self.phase.withLock({ $0 }) { node } else { nil }
    }

    /// - Throws: `BrokerError` if the broker cannot start.
    public func run() async throws {
        let isFirst = self.phase.withLock { phase in
            guard case .idle = phase else { return false }
            phase = .starting
            return true
        }
        guard isFirst else { throw BrokerError.alreadyRun }
        let stop = Announcement<Void>()
        let running: RunningBroker
        do {
            running = try await RunningBroker.start(
                self.configuration, self.logger, self.clock, self.fileSystem, self.metrics)
        } catch {
            self.port.resolve(.failure(error))
            self.phase.withLock { $0 = .ended(BrokerStatistics()) }
            throw error
        }
        self.phase.withLock { $0 = .running(running.node) }
        self.port.resolve(.success(running.node.listeningPort))
        await withTaskCancellationOrGracefulShutdownHandler {
            // Not by cancellation: the handler resolves it then, and the shutdown below must run either way.
            await stop.uncancellableValue()
        } onCancelOrGracefulShutdown: {
            stop.resolve(.success(()))
        }
        // In a task of its own, as one that is cancelled would not wait for the logs to be closed.
        await Task { await running.stop(patience: Self.drainPatience) }.value
        self.phase.withLock { $0 = .ended(running.node.statistics) }
    }
}
