import KafkaProtocol

/// How long a topic that the reachable cluster does not have may stay missing before its user is told: with automatic
/// creation it appears within moments, without it never. A value of one send.
struct TopicPatience {
    private let limit: Duration
    private var missingSince: ContinuousClock.Instant?

    init(_ limit: Duration) {
        self.limit = limit
    }

    /// Whether to go on trying after this error.
    mutating func endures(_ error: KafkaClientError, now: ContinuousClock.Instant = .now) -> Bool {
        switch error {
        case .unknownTopic, .unknownPartition, .refused(.unknownTopicOrPartition, _, _):
            let since = missingSince ?? now
            missingSince = since
            return now - since < limit
        default:
            missingSince = nil
            return true
        }
    }
}
