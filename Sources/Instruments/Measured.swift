/// A service whose metrics are complete only after it has been asked: it reports its totals and readings then, so that
/// serving costs less.
public protocol Measured: Sendable {
    /// Reports to the metrics factory that the service was made with. To be called before the factory is read. Any task.
    func reportMetrics() async
}
