import KafkaProtocol
import RecordBatch
import Synchronization

/// The senders of one producer, one for each partition it has written to, and their tasks.
///
/// Owned by ``Producer``, whose end cancels the tasks; they hold nothing of it. Any thread.
final class ProducerCore: Sendable {
    private struct State {
        var senders: [TopicPartition: PartitionSender] = [:]
        var tasks: [Task<Void, Never>] = []
        /// The position among a topic's partitions where records without a key go now.
        var sticky: [TopicName: Int] = [:]
        var isClosed = false
    }

    let cluster: Cluster
    let configuration: ProducerConfiguration
    let budget: ByteBudget
    private let identities: ProducerIdentities
    /// Of a transactional producer.
    private let session: TransactionSession?
    private let state = Mutex(State())

    init(cluster: Cluster, configuration: ProducerConfiguration, session: TransactionSession? = nil) {
        self.cluster = cluster
        self.configuration = configuration
        self.budget = ByteBudget(limit: configuration.maximumBufferedBytes)
        self.identities = ProducerIdentities(cluster: cluster)
        self.session = session
    }

    /// The partition's sender, started when first asked for.
    ///
    /// - Throws: `KafkaClientError.closed`, or a ``TransactionError`` where nothing can be sent now.
    func sender(of partition: TopicPartition) throws -> PartitionSender {
        try session?.want(partition)
        let sender = state.withLock { state -> PartitionSender? in
            if state.isClosed { return nil }
            if let sender = state.senders[partition] { return sender }
            let sender = PartitionSender(
                partition: partition, cluster: cluster, configuration: configuration, identities: identities,
                session: session, budget: budget)
            state.senders[partition] = sender
            state.tasks.append(Task { await sender.run() })
            return sender
        }
        guard let sender else { throw KafkaClientError.closed }
        return sender
    }

    /// The partition for a record without a key: the same until its batch is closed, then the next (KIP-480).
    func stickyPartition(in topic: TopicDescription) -> PartitionIndex {
        let led = topic.partitions.filter { $0.leader != nil }
        let candidates = led.isEmpty ? topic.partitions : led
        return state.withLock { state in
            let position = (state.sticky[topic.name] ?? Int.random(in: 0..<candidates.count)) % candidates.count
            let current = candidates[position].index
            let sender = state.senders[TopicPartition(topic: topic.name, partition: current)]
            if sender == nil || sender?.hasOpenBatch == true {
                state.sticky[topic.name] = position
                return current
            }
            let next = (position + 1) % candidates.count
            state.sticky[topic.name] = next
            return candidates[next].index
        }
    }

    /// Returns when everything taken in before has been delivered or has failed.
    func flush() async throws {
        let senders = state.withLock { Array($0.senders.values) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in senders { group.addTask { try await sender.flush() } }
            try await group.waitForAll()
        }
    }

    /// Fails everything that was taken in and is not written yet. What is on its way is not tried again.
    func abandon(_ error: any Error) {
        for sender in state.withLock({ Array($0.senders.values) }) { sender.abandon(error) }
    }

    /// Takes nothing more in.
    func stopAccepting() {
        state.withLock { $0.isClosed = true }
    }

    /// Ends the senders; what is left fails. Returns their tasks.
    @discardableResult
    func cancel() -> [Task<Void, Never>] {
        let tasks = state.withLock { state in
            state.isClosed = true
            return state.tasks
        }
        for task in tasks { task.cancel() }
        return tasks
    }
}
