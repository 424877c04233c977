import CommitLog
import KafkaProtocol
import RecordBatch

/// What a topic's configs come to: the ones the broker acts on, parsed. A value, made when a topic is opened or altered.
struct TopicSettings: Sendable, Equatable {
    /// Nil for the broker's limit.
    var batchBytes: Int?
    /// Whether records get the time when they arrive.
    var usesAppendTime = false
    var minimumReplicas = 1
    /// What batches are stored with; nil for what their producers chose.
    var compression: CompressionCodec?
    /// Whether only the last record of each key is kept.
    var compacts = false
    var compaction = CompactionPolicy()
    /// Records that may wait for a sync; nil for any number.
    var flushMessages: Int64?
    /// How long a record may wait for a sync, in milliseconds; nil for ever.
    var flushMilliseconds: Int64?
    /// What is kept; nil for all, as the topic is only compacted.
    private(set) var retention: Retention? = Retention(milliseconds: TopicSetting.defaultRetentionMilliseconds)
    private var log = LogOverrides()

    /// What differs from the broker's configuration of logs.
    private struct LogOverrides: Equatable {
        var segmentBytes: Int?
        var segmentAge: Duration?
        var segmentJitter: Duration?
        var indexIntervalBytes: Int?
        var indexBytes: Int?
    }

    /// Configs that are not understood are passed over: they were checked when they were set.
    init(_ configs: [TopicConfig]) {
        var retention = Retention(milliseconds: TopicSetting.defaultRetentionMilliseconds)
        var policies = ["delete"]
        for config in configs {
            let number = Int64(config.value)
            switch config.name {
            case TopicSetting.cleanupPolicyName: policies = TopicSetting.items(config.value)
            case TopicSetting.retentionAgeName: retention.milliseconds = number.flatMap { $0 < 0 ? nil : $0 }
            case TopicSetting.retentionBytesName: retention.bytes = number.flatMap { $0 < 0 ? nil : Int($0) }
            default: self.read(config, number)
            }
        }
        self.compacts = policies.contains("compact")
        self.retention = policies.contains("delete") ? retention : nil
    }

    private mutating func read(_ config: TopicConfig, _ number: Int64?) {
        switch config.name {
        case TopicSetting.maximumBatchBytesName: self.batchBytes = number.map { Int($0) }
        case TopicSetting.timestampTypeName: self.usesAppendTime = config.value == "LogAppendTime"
        case TopicSetting.minimumReplicasName: self.minimumReplicas = number.map { Int($0) } ?? 1
        case TopicSetting.compressionName:
            self.compression =
                config.value == "uncompressed" ? CompressionCodec.none : CompressionCodec(name: config.value)
        case "delete.retention.ms": self.compaction.deleteRetentionMilliseconds = number ?? 0
        case "min.cleanable.dirty.ratio": self.compaction.minimumDirtyRatio = Double(config.value) ?? 0.5
        case "min.compaction.lag.ms": self.compaction.minimumLagMilliseconds = number ?? 0
        case "max.compaction.lag.ms":
            self.compaction.maximumLagMilliseconds = number.flatMap { $0 == .max ? nil : $0 }
        case "flush.messages": self.flushMessages = number.flatMap { $0 == .max ? nil : $0 }
        case "flush.ms": self.flushMilliseconds = number.flatMap { $0 == .max ? nil : $0 }
        case TopicSetting.segmentBytesName: self.log.segmentBytes = number.map { Int($0) }
        case TopicSetting.segmentAgeName: self.log.segmentAge = number.map { .milliseconds($0) }
        case "segment.jitter.ms": self.log.segmentJitter = number.map { .milliseconds($0) }
        case "index.interval.bytes": self.log.indexIntervalBytes = number.map { Int($0) }
        case "segment.index.bytes": self.log.indexBytes = number.map { Int($0) }
        default: break
        }
    }

    /// The broker's configuration of logs with what this topic says.
    func applied(to configuration: LogConfiguration) -> LogConfiguration {
        var result = configuration
        if let segmentBytes = self.log.segmentBytes { result.segmentBytes = segmentBytes }
        if let segmentAge = self.log.segmentAge { result.segmentAge = segmentAge }
        if let segmentJitter = self.log.segmentJitter { result.segmentJitter = segmentJitter }
        if let interval = self.log.indexIntervalBytes { result.indexIntervalBytes = interval }
        if let indexBytes = self.log.indexBytes { result.indexBytes = indexBytes }
        if self.compacts, let limit = self.compaction.maximumLagMilliseconds {
            // A segment that is open is not compacted, so none may stay open for longer.
            result.segmentAge = min(result.segmentAge ?? .milliseconds(limit), .milliseconds(limit))
        }
        return result
    }
}
