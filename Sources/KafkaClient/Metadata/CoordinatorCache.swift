import Synchronization

/// What has a coordinator.
enum Coordinated: Hashable, Sendable {
    case group(String)
    /// The transactions of one transactional id.
    case transactions(String)
}

/// Remembers which broker keeps which consumer group and which transactional id, until it proves wrong. Owned by
/// ``Cluster``; any thread.
final class CoordinatorCache: Sendable {
    private let addresses = Mutex<[Coordinated: BrokerAddress]>([:])

    func address(of key: Coordinated) -> BrokerAddress? {
        addresses.withLock { $0[key] }
    }

    func learn(_ key: Coordinated, address: BrokerAddress) {
        addresses.withLock { $0[key] = address }
    }

    func forget(_ key: Coordinated) {
        addresses.withLock { _ = $0.removeValue(forKey: key) }
    }
}
