import NIOCore
import Synchronization

/// The connections that are open now, so that a shutdown can end them. Shared by all event loops.
final class OpenConnections: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    var count: Int { self.channels.withLock { $0.count } }

    func opened(_ channel: any Channel) {
        self.channels.withLock { $0[ObjectIdentifier(channel)] = channel }
    }

    func closed(_ channel: any Channel) {
        self.channels.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    /// Lets every connection answer what it has taken; those that are not done after `patience` are cut.
    func drain(patience: Duration) async {
        let channels = self.channels.withLock { Array($0.values) }
        for channel in channels {
            channel.eventLoop.execute {
                let handler = try? channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
                handler?.drain()
            }
        }
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
