import Synchronization

/// Keeps requests that must not wait for each other on different connections to the same broker.
///
/// A broker answers the requests of one connection in order, so whatever follows a long-poll fetch or a join waits
/// for it. Whoever sends such requests makes a lane of its own and closes it with ``Cluster/close(_:)``; everybody
/// else shares one connection per broker.
public struct ConnectionLane: Hashable, Sendable {
    private static let counter = Atomic<UInt64>(0)

    private let id: UInt64

    private init(id: UInt64) {
        self.id = id
    }

    /// The lane for requests that are answered at once.
    public static let shared = ConnectionLane(id: 0)

    /// A lane nobody else uses.
    public init() {
        self.init(id: Self.counter.wrappingAdd(1, ordering: .relaxed).newValue)
    }
}
