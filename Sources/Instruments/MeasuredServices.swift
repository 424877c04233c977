internal import Synchronization

/// The services of one process that report their metrics, as they come up. Any thread.
public final class MeasuredServices: Sendable {
    private let services = Mutex<[any Measured]>([])

    public init() {}

    public func add(_ service: any Measured) {
        services.withLock { $0.append(service) }
    }

    /// Has all of them report.
    public func report() async {
        for service in services.withLock({ $0 }) { await service.reportMetrics() }
    }
}
