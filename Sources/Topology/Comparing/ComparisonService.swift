public import ServiceLifecycle
internal import Synchronization

/// Runs a comparison as a service, so that SIGTERM and Ctrl-C end it, and what it has started with it.
public final class ComparisonService: Service {
    private let runner: ComparisonRunner
    private let outcome = Mutex<Comparison?>(nil)

    public init(_ runner: ComparisonRunner) { self.runner = runner }

    /// What was found out; nil when it was interrupted.
    public var comparison: Comparison? { outcome.withLock { $0 } }

    public func run() async throws {
        try await cancelWhenGracefulShutdown { [self] in
            do {
                let comparison = try await runner.run()
                outcome.withLock { $0 = comparison }
            } catch  where Task.isCancelled {
                // Interrupted; whoever asked for it knows.
            }
        }
    }
}
