import KafkaProtocol
import Logging
import NIOCore
import RecordBatch
import Synchronization

/// Sends one partition's batches, one after the other: the next goes out when the fate of the one before is known.
/// So order holds through every retry, and a sequence number is used for a second batch only if the first was
/// refused.
///
/// Owned by ``ProducerCore``, which starts and cancels `run()`. Records come in from any thread.
final class PartitionSender: Sendable {
    private let partition: TopicPartition
    private let cluster: Cluster
    private let configuration: ProducerConfiguration
    private let identities: ProducerIdentities
    private let session: TransactionSession?
    private let budget: ByteBudget
    private let queue: Mutex<PartitionQueue>
    /// What is on its way.
    private let current = Mutex<OutgoingBatch?>(nil)
    private let arrived = Signal()
    private let finished = Signal()

    init(
        partition: TopicPartition, cluster: Cluster, configuration: ProducerConfiguration,
        identities: ProducerIdentities, session: TransactionSession? = nil,
        budget: ByteBudget
    ) {
        self.partition = partition
        self.cluster = cluster
        self.configuration = configuration
        self.identities = identities
        self.session = session
        self.budget = budget
        self.queue = Mutex(PartitionQueue(linger: configuration.linger, batchBytes: configuration.batchBytes))
    }

    var hasOpenBatch: Bool { queue.withLock { $0.hasOpenBatch } }

    func append(_ message: ProducerMessage, timestamp: Int64, bytes: Int, delivered: OneShot<Offset>) {
        queue.withLock { queue in
            queue.append(
                OutgoingBatch.TimedMessage(message: message, timestamp: timestamp), bytes: bytes,
                delivered: delivered, now: .now)
        }
        arrived.notify()
    }

    func append(_ batch: EncodedBatch, delivered: OneShot<Offset>) {
        queue.withLock { $0.append(batch, delivered: delivered, now: .now) }
        arrived.notify()
    }

    /// Returns when everything appended before has been delivered or has failed.
    func flush() async throws {
        let target = queue.withLock { $0.flush() }
        arrived.notify()
        while true {
            let version = finished.version
            if queue.withLock({ $0.finishedCount >= target }) { return }
            try await finished.wait(after: version)
        }
    }

    /// Fails what waits, and what is on its way once its attempt has ended.
    func abandon(_ error: any Error) {
        fail(queue.withLock { $0.removeAll() }, error)
        current.withLock { $0 }?.complete(.failure(error))
        finished.notify()
    }

    private func fail(_ batches: [OutgoingBatch], _ error: any Error) {
        for batch in batches {
            budget.release(batch.bytes)
            batch.complete(.failure(error))
        }
    }

    /// Sends until the task is cancelled; what is left then fails as ``KafkaClientError/closed``.
    func run() async {
        var sequence = ProducerSequence()
        while let batch = await nextBatch() {
            current.withLock { $0 = batch }
            await deliver(batch, &sequence)
            current.withLock { $0 = nil }
            budget.release(batch.bytes)
            queue.withLock { $0.finish() }
            finished.notify()
        }
        fail(queue.withLock { $0.removeAll() }, KafkaClientError.closed)
        finished.notify()
    }

    private func nextBatch() async -> OutgoingBatch? {
        while !Task.isCancelled {
            let version = arrived.version
            switch queue.withLock({ $0.next(now: .now) }) {
            case .batch(let batch): return batch
            case .lingers(let deadline): try? await arrived.wait(after: version, until: deadline)
            case .nothing: try? await arrived.wait(after: version)
            }
        }
        return nil
    }

    /// Delivers a batch, in parts if the broker finds it too large, and tells whoever waits.
    private func deliver(_ batch: OutgoingBatch, _ sequence: inout ProducerSequence) async {
        var parts = [batch]
        while let part = parts.popLast() {
            let result = await attempt(part, &sequence)
            if case .failure(KafkaClientError.refused(.messageTooLarge, _, _)) = result, let halves = part.halves() {
                parts += [halves.1, halves.0]
            } else {
                // First the transaction, so that nobody who hears of it finds it intact.
                if case .failure(let error) = result { session?.deliveryFailed(error) }
                part.complete(result)
            }
        }
    }

    private func attempt(
        _ batch: OutgoingBatch, _ sequence: inout ProducerSequence
    ) async -> Result<Offset, any Error> {
        var delivery = BatchDelivery(
            of: batch, to: partition, cluster: cluster, configuration: configuration, identities: identities,
            session: session)
        do {
            return .success(try await delivery.run(&sequence))
        } catch is CancellationError {
            // The sending task's own cancellation is the producer's end; a waiter's has reached the waiter already.
            return .failure(Task.isCancelled ? KafkaClientError.closed : CancellationError())
        } catch {
            return .failure(error)
        }
    }
}
