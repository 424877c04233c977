import Synchronization

/// Remembers which broker keeps which consumer group, until it proves wrong. Owned by ``Cluster``; any thread.
final class CoordinatorCache: Sendable {
    private let addresses = Mutex<[String: BrokerAddress]>([:])

    func address(of group: String) -> BrokerAddress? {
        addresses.withLock { $0[group] }
    }

    func learn(_ group: String, address: BrokerAddress) {
        addresses.withLock { $0[group] = address }
    }

    func forget(_ group: String) {
        addresses.withLock { _ = $0.removeValue(forKey: group) }
    }
}
