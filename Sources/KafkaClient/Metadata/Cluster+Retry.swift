extension Cluster {
    /// Which failures are worth another attempt.
    enum RetryPolicy {
        /// All that may pass by themselves; for services, which outlive an outage.
        case untilReachable
        /// Those of a cluster that can be reached and has the topic; for people who wait for an answer.
        case whileReachable
    }

    /// Runs `attempt` until it succeeds, with ``Backoff`` between the attempts.
    ///
    /// - Parameter patience: no attempt is made later than this; nil for no limit.
    /// - Throws: the last error, when it is not retriable or the patience is at its end.
    func retrying<Value>(
        _ policy: RetryPolicy, patience: Duration? = nil, _ attempt: () async throws -> Value
    ) async throws -> Value {
        let deadline = patience.map { ContinuousClock.now + $0 }
        var backoff = Backoff(configuration.retryBackoff)
        while true {
            do {
                return try await attempt()
            } catch let error as KafkaClientError where error.isRetriable {
                if policy == .whileReachable {
                    switch error {
                    case .unreachable, .unknownTopic, .unknownPartition: throw error
                    default: break
                    }
                }
                let pause = backoff.next()
                if let deadline, .now + pause > deadline { throw error }
                try await Task.sleep(for: pause)
            }
        }
    }
}
