import KafkaProtocol
import Logging
import NIOCore

/// Owns all transactional ids and carries out what they decide. Everything happens on the group coordinator's event loop,
/// so there is no lock: any thread may call, and answers are given on that loop.
final class TransactionCoordinator: Sendable {
    /// What it needs of the rest of the broker.
    struct Surroundings: Sendable {
        let topic: TransactionsTopic
        let groups: GroupCoordinator
        let producerIDs: ProducerIDAllocator
        let open: OpenTransactions
        let pool: DiskPool
        let counters: BrokerCounters
        let clock: BrokerClock
        let logger: Logger
    }

    let eventLoop: any EventLoop
    let settings: TransactionSettings
    let limits: BrokerLimits
    let around: Surroundings
    /// Whether what is stored waits for the disk.
    let waitsForSync: Bool
    let desk: NIOLoopBoundBox<Desk>

    /// What changes, all of it.
    struct Desk {
        var producers: [String: TransactionalProducer] = [:]
        var pending: [TransactionReplyToken: PendingAnswer] = [:]
        var nextToken: UInt64 = 0
        var isStopping = false
        var timer: RepeatedTask?
        var appendsSinceLook = 0
        /// Bytes of the topic's partitions after they were last rewritten.
        var rewrittenBytes: [Int32: Int] = [:]
    }

    enum PendingAnswer {
        case initialize(@Sendable (ErrorCode, ProducerIdentity) -> Void)
        case other(@Sendable (ErrorCode) -> Void)
    }

    /// Reads `__transaction_state`. Reads the disk. Transactions whose end was stored are ended then.
    init(configuration: BrokerConfiguration, around: Surroundings) {
        self.eventLoop = around.groups.eventLoop
        self.settings = configuration.transactions
        self.limits = configuration.limits
        self.around = around
        self.waitsForSync = configuration.durability == .acknowledged
        var desk = Desk()
        for (id, record) in around.topic.load() {
            let producer = TransactionalProducer(
                record: record, settings: configuration.transactions,
                maximumPartitions: configuration.limits.partitionsPerTransaction)
            desk.producers[id] = producer
            // Before anybody can produce.
            if record.state == .ongoing {
                around.open.allow(record.partitions, producerID: record.producerID, epoch: record.epoch)
            }
        }
        self.desk = NIOLoopBoundBox.makeBoxSendingValue(desk, eventLoop: self.eventLoop)
        self.eventLoop.execute {
            for id in self.desk.value.producers.keys { self.handle(.restored, id) }
            let interval = self.settings.checkInterval
            self.desk.value.timer = self.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
                self.timePassed()
            }
        }
    }

    func onLoop(_ work: @escaping @Sendable () -> Void) {
        if self.eventLoop.inEventLoop { work() } else { self.eventLoop.execute(work) }
    }

    // MARK: Requests

    func initialize(
        _ attempt: ProducerAttempt, id: String, answer: @escaping @Sendable (ErrorCode, ProducerIdentity) -> Void
    ) {
        self.onLoop {
            guard !self.desk.value.isStopping else { return answer(.coordinatorNotAvailable, .none) }
            guard self.admit(id) else { return answer(.policyViolation, .none) }
            self.handle(.initialize(attempt, self.expect(.initialize(answer))), id)
        }
    }

    /// Adds partitions to the producer's transaction.
    func add(
        _ partitions: Set<PartitionName>, by identity: ProducerIdentity, id: String,
        answer: @escaping @Sendable (ErrorCode) -> Void
    ) {
        self.ask(id, answer) { .add(partitions, identity, $0) }
    }

    /// Adds the partition in which a group's offsets are.
    func add(
        group: String, by identity: ProducerIdentity, id: String, answer: @escaping @Sendable (ErrorCode) -> Void
    ) {
        // Creating the topic writes the disk.
        self.around.pool.submit { _ in
            do throws(Partition.Refusal) {
                let partition = try self.around.groups.topic.partition(for: group)
                let name = PartitionName(topic: partition.topic, partition: partition.index)
                self.add([name], by: identity, id: id, answer: answer)
            } catch {
                answer(error.code)
            }
        }
    }

    func end(
        isCommit: Bool, by identity: ProducerIdentity, id: String, answer: @escaping @Sendable (ErrorCode) -> Void
    ) {
        self.ask(id, answer) { .end(isCommit: isCommit, identity, $0) }
    }

    private func ask(
        _ id: String, _ answer: @escaping @Sendable (ErrorCode) -> Void,
        _ event: @escaping @Sendable (TransactionReplyToken) -> TransactionEvent
    ) {
        self.onLoop {
            guard !self.desk.value.isStopping else { return answer(.coordinatorNotAvailable) }
            guard self.desk.value.producers[id] != nil else { return answer(.invalidProducerIDMapping) }
            self.handle(event(self.expect(.other(answer))), id)
        }
    }

    private func expect(_ answer: PendingAnswer) -> TransactionReplyToken {
        let token = TransactionReplyToken(rawValue: self.desk.value.nextToken)
        self.desk.value.nextToken += 1
        self.desk.value.pending[token] = answer
        return token
    }

    /// Whether the transactional id is there, or may be made now.
    private func admit(_ id: String) -> Bool {
        if self.desk.value.producers[id] != nil { return true }
        guard self.desk.value.producers.count < self.limits.transactionalIDs else {
            self.around.counters.reached(.transactionalIDs)
            self.around.logger.warning(
                """
                transactional id \(id.debugDescription) is refused: the limit of \(self.limits.transactionalIDs) is \
                reached; ids that nobody uses are forgotten after \(self.settings.idExpiration.milliseconds / 1_000) s
                """)
            return false
        }
        self.desk.value.producers[id] = TransactionalProducer(
            settings: self.settings, maximumPartitions: self.limits.partitionsPerTransaction)
        return true
    }

    /// What ids there are, with their records.
    func list(answer: @escaping @Sendable ([(id: String, record: TransactionRecord)]) -> Void) {
        self.onLoop {
            answer(self.desk.value.producers.sorted { $0.key < $1.key }.map { ($0.key, $0.value.record) })
        }
    }

    // MARK: Stopping

    /// Answers all who wait; producers look for their coordinator again and go on after the restart.
    func stop() {
        self.onLoop {
            self.desk.value.isStopping = true
            self.desk.value.timer?.cancel()
            self.desk.value.timer = nil
            let pending = self.desk.value.pending
            self.desk.value.pending = [:]
            for answer in pending.values {
                switch answer {
                case .initialize(let reply): reply(.coordinatorNotAvailable, .none)
                case .other(let reply): reply(.coordinatorNotAvailable)
                }
            }
        }
    }
}
