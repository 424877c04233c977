import NIOCore
import Synchronization

/// The connections that are open now, so that a shutdown can end them. Shared by all event loops.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var countByAddress: [String: Int] = [:]
    }

    private let state = Mutex(State())

    var count: Int { self.state.withLock { $0.channels.count } }

    /// - Parameter address: of the client, without its port.
    /// - Returns: the limit why the connection must be closed, and in words; nil if it may stay, and `closed` is to be called at its end.
    func opened(_ channel: any Channel, from address: String, _ limits: BrokerLimits) -> (
        BrokerLimit, String
    )? {
        self.state.withLock { state in
            guard state.channels.count < limits.connections else {
                return (
                    .connections, "the limit of \(limits.connections) connections is reached (--max-connections)"
                )
            }
            let count = state.countByAddress[address, default: 0]
            guard count < limits.connectionsPerAddress else {
                return (
                    .connectionsPerAddress,
                    "the limit of \(limits.connectionsPerAddress) connections from one address is reached "
                        + "(--max-connections-per-address)"
                )
            }
            state.countByAddress[address] = count + 1
            state.channels[ObjectIdentifier(channel)] = channel
            return nil
        }
    }

    func closed(_ channel: any Channel, from address: String) {
        self.state.withLock { state in
            guard state.channels.removeValue(forKey: ObjectIdentifier(channel)) != nil else { return }
            let rest = state.countByAddress[address, default: 1] - 1
            state.countByAddress[address] = rest > 0 ? rest : nil
        }
    }

    /// Has every connection do something, on its event loop.
    func forEach(_ body: @escaping @Sendable (ConnectionHandler) -> Void) {
        for channel in self.state.withLock({ Array($0.channels.values) }) {
            channel.eventLoop.execute {
                if let handler = try? channel.pipeline.syncOperations.handler(type: ConnectionHandler.self) {
                    body(handler)
                }
            }
        }
    }

    /// Lets every connection answer what it has taken; those that are not done after `patience` are cut.
    func drain(patience: Duration) async {
        let channels = self.state.withLock { Array($0.channels.values) }
        self.forEach { $0.drain() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled when all have closed by themselves.
                guard (try? await Task.sleep(for: patience)) != nil else { return }
                for channel in channels { channel.close(promise: nil) }
            }
            for channel in channels {
                try? await channel.closeFuture.get()
            }
            group.cancelAll()
        }
    }
}
