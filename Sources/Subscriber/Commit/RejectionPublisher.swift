internal import KafkaClient
internal import KafkaProtocol
internal import Logging

/// Sends what was rejected to its topic, before the offsets it came from are committed: a kill in between sends it
/// twice, never not at all. Used by the `CommitLoop`'s task.
struct RejectionPublisher: Sendable {
    let producer: Producer
    let topic: TopicName
    let logger: Logger

    /// Returns when the cluster has taken all; while it cannot be reached this waits. Gives how many the cluster
    /// refused for good; these are in the log only.
    ///
    /// - Throws: `CancellationError`.
    func publish(_ rejections: [Rejection]) async throws -> Int {
        guard let first = rejections.first else { return 0 }
        logger.warning(
            "read something that is no sample",
            metadata: ["rejected": "\(rejections.count)", "topic": "\(topic)", "first": "\(first)"])
        return try await withThrowingTaskGroup(of: Rejection?.self) { group in
            for rejection in rejections {
                group.addTask {
                    do {
                        _ = try await producer.send(rejection.message(to: topic))
                        return nil
                    } catch let error as KafkaClientError where error != .closed {
                        logger.error(
                            "the topic for rejected lines refused one",
                            metadata: ["topic": "\(topic)", "reason": "\(error)", "rejected": "\(rejection)"])
                        return rejection
                    }
                }
            }
            return try await group.reduce(0) { $1 == nil ? $0 : $0 + 1 }
        }
    }
}
