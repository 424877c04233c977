import KafkaProtocol

/// The settings of topics, with Kafka's names, rules and defaults.
extension TopicSetting {
    private static let wholeInt: ClosedRange<Int64> = 0...Int64(Int32.max)
    private static let whole: ClosedRange<Int64> = 0...Int64.max
    private static let wholeOrUnlimited: ClosedRange<Int64> = -1...Int64.max
    private static let positive: ClosedRange<Int64> = 1...Int64.max
    static let defaultRetentionMilliseconds: Int64 = 604_800_000
    private static let weekMilliseconds = "\(defaultRetentionMilliseconds)"
    private static let dayMilliseconds = "86400000"

    static let cleanupPolicyName = "cleanup.policy"
    static let compressionName = "compression.type"
    static let retentionAgeName = "retention.ms"
    static let retentionBytesName = "retention.bytes"
    static let maximumBatchBytesName = "max.message.bytes"
    static let timestampTypeName = "message.timestamp.type"
    static let minimumReplicasName = "min.insync.replicas"
    static let segmentBytesName = "segment.bytes"
    static let segmentAgeName = "segment.ms"

    /// By name. `max.message.bytes` has the broker's limit as its default: see `TopicSettings`.
    static let all: [TopicSetting] = [
        TopicSetting(
            name: cleanupPolicyName, defaultValue: "delete", rule: .list(["compact", "delete"]), effect: .atOnce,
            documentation: "Whether old segments are deleted, or compacted to the last record of each key, or both."),
        TopicSetting(
            name: compressionName, defaultValue: "producer",
            rule: .oneOf(["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]), effect: .atOnce,
            documentation:
                "What batches are stored with: the compression of their producers, or one that batches which "
                + "come with another are compressed with when they arrive."),
        TopicSetting(
            name: "delete.retention.ms", defaultValue: dayMilliseconds, rule: .long(whole), effect: .atOnce,
            documentation: "How long compaction leaves the markers of deleted keys."),
        TopicSetting(
            name: "file.delete.delay.ms", defaultValue: "60000", rule: .long(whole),
            effect: .keptOnly(
                because: "whoever reads a file holds it open, so it can be removed, and its room used, at once"),
            documentation: "How long a deleted file stays."),
        TopicSetting(
            name: "flush.messages", defaultValue: "\(Int64.max)", rule: .long(positive), effect: .atOnce,
            documentation:
                "Records after which the log is synced, beside the syncs that acks=all waits for. Nobody waits "
                + "for these."),
        TopicSetting(
            name: "flush.ms", defaultValue: "\(Int64.max)", rule: .long(whole), effect: .atOnce,
            documentation:
                "How long a record may wait for a sync, to about a second, beside the syncs that acks=all waits "
                + "for."),
        TopicSetting(
            name: "index.interval.bytes", defaultValue: "4096", rule: .int(wholeInt), effect: .atOnce,
            documentation: "Bytes of records between two entries of an index, from the next segment on."),
        TopicSetting(
            name: "max.compaction.lag.ms", defaultValue: "\(Int64.max)", rule: .long(positive), effect: .atOnce,
            documentation: "The longest a record may stay uncompacted."),
        TopicSetting(
            name: maximumBatchBytesName, defaultValue: "", rule: .int(wholeInt), effect: .atOnce,
            documentation: "The largest record batch that is taken, in bytes."),
        TopicSetting(
            name: timestampTypeName, defaultValue: "CreateTime", rule: .oneOf(["CreateTime", "LogAppendTime"]),
            effect: .atOnce,
            documentation: "Whether records keep their producers' timestamps or get the time when they arrive."),
        TopicSetting(
            name: "min.cleanable.dirty.ratio", defaultValue: "0.5", rule: .double(0...1), effect: .atOnce,
            documentation: "The share of uncompacted bytes at which a log is compacted."),
        TopicSetting(
            name: "min.compaction.lag.ms", defaultValue: "0", rule: .long(whole), effect: .atOnce,
            documentation: "The shortest a record stays uncompacted."),
        TopicSetting(
            name: minimumReplicasName, defaultValue: "1", rule: .int(1...Int64(Int32.max)), effect: .atOnce,
            documentation: "Replicas that must have a batch before acks=all is answered. There is one broker, so with "
                + "more than 1 such batches are refused."),
        TopicSetting(
            name: "preallocate", defaultValue: "false", rule: .boolean,
            effect: .keptOnly(because: "file systems of today lay out a growing file well without it"),
            documentation: "Whether a segment's file gets its full size when it is made."),
        TopicSetting(
            name: retentionBytesName, defaultValue: "-1", rule: .long(wholeOrUnlimited), effect: .atOnce,
            documentation: "Bytes of a partition beyond which its oldest segments are deleted; -1 for no limit."),
        TopicSetting(
            name: retentionAgeName, defaultValue: weekMilliseconds, rule: .long(wholeOrUnlimited), effect: .atOnce,
            documentation: "Age at which records are deleted; -1 for never."),
        TopicSetting(
            name: segmentBytesName, defaultValue: "\(1 << 30)", rule: .int(14...Int64(Int32.max)), effect: .atOnce,
            documentation: "Bytes of a segment's file."),
        TopicSetting(
            name: "segment.index.bytes", defaultValue: "10485760", rule: .int(4...Int64(Int32.max)),
            effect: .atOnce, documentation: "Bytes of a segment's index at which the segment is closed."),
        TopicSetting(
            name: "segment.jitter.ms", defaultValue: "0", rule: .long(whole), effect: .atOnce,
            documentation: "The most by which segment.ms is shortened, differently for each segment."),
        TopicSetting(
            name: segmentAgeName, defaultValue: weekMilliseconds, rule: .long(positive), effect: .atOnce,
            documentation: "Age at which a segment is closed."),
        TopicSetting(
            name: "unclean.leader.election.enable", defaultValue: "false", rule: .boolean,
            effect: .keptOnly(because: "there is one broker, which leads every partition"),
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
