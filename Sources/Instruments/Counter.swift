internal import Synchronization

/// A number that any thread may add to, for the cost of one atomic addition. Its owner reads it, to obey a limit by it or
/// to report it: a counter of swift-metrics cannot be read back.
public final class Counter: Sendable {
    private let total = Atomic<Int>(0)

    public init() {}

    public var value: Int { total.load(ordering: .relaxed) }

    public func add(_ amount: Int) {
        total.wrappingAdd(amount, ordering: .relaxed)
    }
}
