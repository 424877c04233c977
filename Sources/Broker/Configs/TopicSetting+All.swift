import KafkaProtocol

/// The settings of topics, with Kafka's names, rules and defaults.
extension TopicSetting {
    private static let wholeInt: ClosedRange<Int64> = 0...Int64(Int32.max)
    private static let whole: ClosedRange<Int64> = 0...Int64.max
    private static let wholeOrUnlimited: ClosedRange<Int64> = -1...Int64.max
    private static let positive: ClosedRange<Int64> = 1...Int64.max
    private static let weekMilliseconds = "604800000"
    private static let dayMilliseconds = "86400000"

    static let cleanupPolicyName = "cleanup.policy"
    static let maximumBatchBytesName = "max.message.bytes"
    static let timestampTypeName = "message.timestamp.type"
    static let minimumReplicasName = "min.insync.replicas"
    static let segmentBytesName = "segment.bytes"
    static let segmentAgeName = "segment.ms"

    /// By name. `max.message.bytes` has the broker's limit as its default: see `TopicSettings`.
    static let all: [TopicSetting] = [
        TopicSetting(
            name: cleanupPolicyName, defaultValue: "delete", rule: .list(["compact", "delete"]), effect: .keptOnly,
            documentation: "Whether old segments are deleted, or compacted to the last record of each key, or both."),
        TopicSetting(
            name: "compression.type", defaultValue: "producer", rule: .oneOf(["producer"]), effect: .atOnce,
            documentation: "Batches are stored with the compression of their producers."),
        TopicSetting(
            name: "delete.retention.ms", defaultValue: dayMilliseconds, rule: .long(whole), effect: .keptOnly,
            documentation: "How long compaction leaves the markers of deleted keys."),
        TopicSetting(
            name: "file.delete.delay.ms", defaultValue: "60000", rule: .long(whole), effect: .keptOnly,
            documentation: "How long a deleted file stays."),
        TopicSetting(
            name: "flush.messages", defaultValue: "\(Int64.max)", rule: .long(positive), effect: .keptOnly,
            documentation: "Records after which the log is synced; here acks=all decides."),
        TopicSetting(
            name: "flush.ms", defaultValue: "\(Int64.max)", rule: .long(whole), effect: .keptOnly,
            documentation: "Time after which the log is synced; here acks=all decides."),
        TopicSetting(
            name: "index.interval.bytes", defaultValue: "4096", rule: .int(wholeInt), effect: .keptOnly,
            documentation: "Bytes of records between two entries of an index."),
        TopicSetting(
            name: "max.compaction.lag.ms", defaultValue: "\(Int64.max)", rule: .long(positive), effect: .keptOnly,
            documentation: "The longest a record may stay uncompacted."),
        TopicSetting(
            name: maximumBatchBytesName, defaultValue: "", rule: .int(wholeInt), effect: .atOnce,
            documentation: "The largest record batch that is taken, in bytes."),
        TopicSetting(
            name: timestampTypeName, defaultValue: "CreateTime", rule: .oneOf(["CreateTime", "LogAppendTime"]),
            effect: .atOnce,
            documentation: "Whether records keep their producers' timestamps or get the time when they arrive."),
        TopicSetting(
            name: "min.cleanable.dirty.ratio", defaultValue: "0.5", rule: .double(0...1), effect: .keptOnly,
            documentation: "The share of uncompacted bytes at which a log is compacted."),
        TopicSetting(
            name: "min.compaction.lag.ms", defaultValue: "0", rule: .long(whole), effect: .keptOnly,
            documentation: "The shortest a record stays uncompacted."),
        TopicSetting(
            name: minimumReplicasName, defaultValue: "1", rule: .int(1...Int64(Int32.max)), effect: .atOnce,
            documentation: "Replicas that must have a batch before acks=all is answered. There is one broker, so with "
                + "more than 1 such batches are refused."),
        TopicSetting(
            name: "preallocate", defaultValue: "false", rule: .boolean, effect: .keptOnly,
            documentation: "Whether a segment's file gets its full size when it is made."),
        TopicSetting(
            name: "retention.bytes", defaultValue: "-1", rule: .long(wholeOrUnlimited), effect: .keptOnly,
            documentation: "Bytes of a partition beyond which its oldest segments are deleted; -1 for no limit."),
        TopicSetting(
            name: "retention.ms", defaultValue: weekMilliseconds, rule: .long(wholeOrUnlimited), effect: .keptOnly,
            documentation: "Age at which records are deleted; -1 for never."),
        TopicSetting(
            name: segmentBytesName, defaultValue: "\(1 << 30)", rule: .int(14...Int64(Int32.max)), effect: .atOnce,
            documentation: "Bytes of a segment's file."),
        TopicSetting(
            name: "segment.index.bytes", defaultValue: "10485760", rule: .int(4...Int64(Int32.max)),
            effect: .keptOnly, documentation: "Bytes of a segment's index."),
        TopicSetting(
            name: "segment.jitter.ms", defaultValue: "0", rule: .long(whole), effect: .keptOnly,
            documentation: "The most by which a segment's age is shortened at random."),
        TopicSetting(
            name: segmentAgeName, defaultValue: weekMilliseconds, rule: .long(positive), effect: .atOnce,
            documentation: "Age at which a segment is closed."),
        TopicSetting(
            name: "unclean.leader.election.enable", defaultValue: "false", rule: .boolean, effect: .keptOnly,
            documentation: "Whether a replica that lags may lead."),
    ]

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// - Throws: that there is no such setting.
    static func named(_ name: String) throws(TopicRefusal) -> TopicSetting {
        guard let setting = self.byName[name] else {
            throw TopicRefusal(.invalidConfig, "Unknown topic config name: \(name)")
        }
        return setting
    }
}
