internal import Aggregation
internal import FoundationEssentials
internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import NIOCore
internal import RecordBatch
internal import Synchronization

/// Sends what became of alerts to their topic, the moment it is known and in that order; and lets nobody commit the samples
/// that brought it about before the cluster has taken it. So a kill in between says it twice, never not at all.
///
/// `publish` is called in the isolation of the `Intake`, `run` is a task of the service, `settle` is the `CommitLoop`'s.
final class AlertPublisher: Sendable {
    private struct State {
        /// Notices handed over, and those of them that the cluster has taken or refused for good.
        var published = 0
        var settled = 0
        var lost = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// Nothing more will be settled.
        var hasEnded = false
    }

    private let cluster: Cluster
    private let producer: Producer
    private let topic: TopicName
    private let isNeeded: Bool
    private let generator: String
    private let logger: Logger
    private let state = Mutex(State())
    private let notices: AsyncStream<AlertNotice>
    private let continuation: AsyncStream<AlertNotice>.Continuation

    /// - Parameter isNeeded: make the topic before there is anything to be said.
    init(
        cluster: Cluster, producer: Producer, topic: TopicName, isNeeded: Bool, generator: String, logger: Logger
    ) {
        self.cluster = cluster
        self.producer = producer
        self.topic = topic
        self.isNeeded = isNeeded
        self.generator = generator
        self.logger = logger
        (notices, continuation) = AsyncStream.makeStream(of: AlertNotice.self)
    }

    /// Takes over what is to be sent. Returns at once.
    func publish(_ batch: [AlertNotice]) {
        guard !batch.isEmpty else { return }
        state.withLock { $0.published += batch.count }
        for notice in batch { continuation.yield(notice) }
    }

    /// How many the cluster refused for good.
    var lostCount: Int { state.withLock { $0.lost } }

    /// Returns when everything published before has been settled.
    ///
    /// - Throws: `CancellationError`, also when ``run()`` has ended before.
    func settle() async throws {
        let goal = state.withLock { $0.published }
        while true {
            try Task.checkCancellation()
            let isOver = try state.withLock { state in
                if state.settled >= goal { return true }
                if state.hasEnded { throw CancellationError() }
                return false
            }
            if isOver { return }
            await waitForChange(beyond: goal)
        }
    }

    /// Sends until cancelled. While the cluster cannot be reached it waits.
    func run() async {
        if isNeeded { await createTopic() }
        await withTaskGroup(of: Void.self) { group in
            sending: for await notice in notices {
                do {
                    // In the order of the calls; the answers come when they come.
                    let delivery = try await producer.enqueue(try message(notice))
                    group.addTask {
                        do {
                            _ = try await delivery.offset()
                            self.settled(notice, nil)
                        } catch is CancellationError {
                        } catch {
                            self.settled(notice, error)
                        }
                    }
                } catch is CancellationError {
                    break sending
                } catch {
                    settled(notice, error)
                }
            }
            group.cancelAll()
        }
        state.withLock { $0.hasEnded = true }
        wake()
    }

    private func settled(_ notice: AlertNotice, _ failure: (any Error)?) {
        // A producer that is closed took nothing; it is said again after the restart.
        if let failure, (failure as? KafkaClientError) == .closed { return }
        state.withLock { state in
            state.settled += 1
            if failure != nil { state.lost += 1 }
        }
        if let failure {
            logger.error(
                "the topic for alerts did not take one",
                metadata: ["topic": "\(topic)", "alert": "\(notice.id)", "reason": "\(failure)"])
        }
        wake()
    }

    private func message(_ notice: AlertNotice) throws -> ProducerMessage {
        // Nothing is left of an alert that was pending and went away.
        let value =
            notice.event.state == .inactive
            ? nil : ByteBuffer(bytes: try AlertRecord(notice, generator: generator).json)
        return ProducerMessage(
            topic: topic, key: ByteBuffer(string: notice.recordKey), value: value,
            headers: [
                header("content-type", "application/json"), header("weir-alert-id", notice.id),
                header("weir-alert-status", notice.event.state.rawValue),
            ])
    }

    private func header(_ name: String, _ value: String) -> RecordHeader {
        RecordHeader(key: name, value: ByteBuffer(string: value))
    }

    /// Makes the topic a compacted one of one partition, unless it is there.
    private func createTopic() async {
        while !Task.isCancelled {
            do {
                try await Admin(cluster: cluster).createTopic(
                    NewTopic(name: topic, partitions: 1, settings: ["cleanup.policy": "compact"]))
                return
            } catch let error as KafkaClientError where error.code == .topicAlreadyExists {
                return
            } catch let error as KafkaClientError where error.isRetriable {
                try? await Task.sleep(for: .milliseconds(200))
            } catch {
                logger.warning(
                    "the topic for alerts could not be made; it has to be there, with cleanup.policy=compact",
                    metadata: ["topic": "\(topic)", "reason": "\(error)"])
                return
            }
        }
    }

    // MARK: Waiting

    private func waitForChange(beyond goal: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.settled >= goal || state.hasEnded || Task.isCancelled { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
    }

    private func wake() {
        let waiting = state.withLock { state in
            defer { state.waiting.removeAll() }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
