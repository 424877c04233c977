/// How often a broker looks after its logs, with Kafka's defaults. A value; for the memory of compaction see `BrokerLimits`.
public struct HousekeepingSettings: Sendable {
    /// Between two looks for segments that retention does not keep (Kafka's `log.retention.check.interval.ms`).
    public var retentionCheck = Duration.seconds(300)
    /// Between two looks for logs that are worth compacting (Kafka's `log.cleaner.backoff.ms`).
    public var compactionCheck = Duration.seconds(15)
    /// Between the start and the first look at retention, at most; Kafka's, too.
    static let firstRetentionCheck = Duration.seconds(30)

    public init() {}
}
