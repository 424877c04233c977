public import NIOCore

/// How consumer groups behave; part of `BrokerConfiguration`, the same for every group.
public struct GroupSettings: Sendable {
    /// How long an empty group waits for more members after the first one joined, so that members started
    /// together share one rebalance. Each further member extends the wait, up to its rebalance timeout.
    public var initialRebalanceDelay: TimeAmount
    /// Session timeouts that members may ask for; others are answered INVALID_SESSION_TIMEOUT.
    public var sessionTimeouts: ClosedRange<TimeAmount>
    /// Members that one group may have; the coordinator takes it from `BrokerLimits`.
    var maximumMembers = BrokerLimits().membersPerGroup
    /// Partitions of `__consumer_offsets` when it is created. One is enough for one broker: all groups share
    /// one log and so one sync.
    public var offsetsPartitions: Int
    /// How long a group's offsets are kept after its last member left, or after the last commit from outside the
    /// group protocol; as Kafka's `offsets.retention.minutes`.
    public var offsetRetention: TimeAmount

    public init(
        initialRebalanceDelay: TimeAmount = .zero,
        sessionTimeouts: ClosedRange<TimeAmount> = .milliseconds(500) ... .minutes(30),
        offsetsPartitions: Int = 1,
        offsetRetention: TimeAmount = .hours(7 * 24)
    ) {
        self.initialRebalanceDelay = initialRebalanceDelay
        self.sessionTimeouts = sessionTimeouts
        self.offsetsPartitions = offsetsPartitions
        self.offsetRetention = offsetRetention
    }
}
