import KafkaProtocol
import Synchronization

/// What a broker knows an idempotent producer by (KIP-98).
struct ProducerIdentity: Hashable, Sendable {
    let id: Int64
    let epoch: Int16
}

/// The place of a producer's next batch in one partition: identity and sequence number. A value of the partition's
/// sending task.
struct ProducerSequence: Sendable {
    /// The identity in use, or the one that must not be used again.
    private(set) var identity: ProducerIdentity?
    /// Of the next batch's first record. Wraps from `Int32.max` to 0.
    private(set) var next: Int32 = 0
    /// False before the first batch, and when the broker's idea of the sequence is or may be another than ours.
    private(set) var isValid = false

    mutating func start(_ identity: ProducerIdentity) {
        self = ProducerSequence(identity: identity, next: 0, isValid: true)
    }

    mutating func invalidate() {
        isValid = false
    }

    mutating func advance(by recordCount: Int32) {
        next = (next &+ recordCount) & .max
    }
}

/// The identity that partitions of one producer share, fetched when first needed. Any thread.
///
/// A partition whose sequence broke asks for another one than it had; the other partitions keep theirs, for their
/// batches under way are known to the brokers by it.
final class ProducerIdentities: Sendable {
    private struct State {
        var current: ProducerIdentity?
        var isFetching = false
    }

    private let cluster: Cluster
    private let state = Mutex(State())
    private let changed = Signal()

    init(cluster: Cluster) {
        self.cluster = cluster
    }

    /// The current identity if it is not `old`, else a new one.
    func identity(replacing old: ProducerIdentity?) async throws -> ProducerIdentity {
        while true {
            let version = changed.version
            let (current, isMine) = state.withLock { state -> (ProducerIdentity?, Bool) in
                if let current = state.current, current != old { return (current, false) }
                if state.isFetching { return (nil, false) }
                state.isFetching = true
                return (nil, true)
            }
            if let current { return current }
            guard isMine else {
                try await changed.wait(after: version)
                continue
            }
            do {
                let identity = try await fetch()
                state.withLock { state in
                    state.isFetching = false
                    state.current = identity
                }
                changed.notify()
                return identity
            } catch {
                state.withLock { $0.isFetching = false }
                changed.notify()
                throw error
            }
        }
    }

    private func fetch() async throws -> ProducerIdentity {
        let request = InitProducerIdRequest(transactionalID: nil, transactionTimeoutMs: .max)
        let answer = try await cluster.send(request, to: .any)
        guard answer.errorCode == .none else {
            throw KafkaClientError.refused(answer.errorCode, subject: "producer id", message: nil)
        }
        return ProducerIdentity(id: answer.producerID, epoch: answer.producerEpoch)
    }
}
