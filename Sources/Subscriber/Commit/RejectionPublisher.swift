internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import Synchronization

/// Sends what was rejected to its topic, before the offsets it came from are committed: a kill in between sends it
/// twice, never not at all. Used by the `CommitLoop`'s task.
final class RejectionPublisher: Sendable {
    /// There may be thousands a second; the log gets a line this often.
    private static let logInterval = Duration.seconds(10)

    private struct Silence {
        var until = ContinuousClock.now
        var unmentioned = 0
    }

    /// Nil where there is no cluster, only direct links: then what is rejected is in the log and the counters.
    private let producer: Producer?
    private let topic: TopicName
    private let logger: Logger
    private let silence = Mutex(Silence())

    init(producer: Producer?, topic: TopicName, logger: Logger) {
        self.producer = producer
        self.topic = topic
        self.logger = logger
    }

    /// Returns when the cluster has taken all; while it cannot be reached this waits. Gives how many the cluster
    /// refused for good; these are in the log only.
    ///
    /// - Throws: `CancellationError`.
    func publish(_ rejections: [Rejection]) async throws -> Int {
        guard let first = rejections.first else { return 0 }
        mention(rejections.count, first)
        guard let producer else { return rejections.count }
        let refusals = try await withThrowingTaskGroup(of: (any Error)?.self) { [topic] group in
            for rejection in rejections {
                group.addTask {
                    do {
                        _ = try await producer.send(rejection.message(to: topic))
                        return nil
                    } catch let error as KafkaClientError where error != .closed {
                        return error
                    }
                }
            }
            return try await group.reduce(into: []) { refusals, error in
                if let error { refusals.append(error) }
            }
        }
        if let refusal = refusals.first {
            logger.error(
                "the topic for what is no sample did not take it",
                metadata: [
                    "topic": "\(topic)", "lost": "\(refusals.count)", "reason": "\(refusal)", "first": "\(first)",
                ])
        }
        return refusals.count
    }

    private func mention(_ count: Int, _ first: Rejection) {
        let mentioned = silence.withLock { silence -> Int? in
            silence.unmentioned += count
            guard ContinuousClock.now >= silence.until else { return nil }
            defer { silence = Silence(until: .now + Self.logInterval) }
            return silence.unmentioned
        }
        guard let mentioned else { return }
        logger.warning(
            producer == nil
                ? "read what is no sample; without brokers (--bootstrap) it is dropped"
                : "read what is no sample; it went on to its own topic",
            metadata: ["count": "\(mentioned)", "topic": "\(topic)", "latest": "\(first)"])
    }
}
