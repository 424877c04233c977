public import KafkaProtocol

/// What a ``GroupConsumer`` reads, and how.
public struct GroupConsumerConfiguration: Sendable {
    /// Where to start when there is no offset, or the offset is no longer (or not yet) in the log.
    public enum OffsetReset: Sendable {
        /// At the oldest record there is.
        case earliest
        /// At the end: only what comes from now on.
        case latest
        /// Nowhere: the consumer ends with `KafkaClientError.noOffset`.
        case none
    }

    /// The consumer group's id.
    public var group: String
    /// What to read.
    public var topics: TopicSelection
    /// How often a pattern is held against the cluster's topics, and a named topic that does not exist is looked for.
    public var topicRefresh: Duration
    /// A member that has not been heard of for this long has its partitions given to others.
    public var sessionTimeout: Duration
    /// How often the member is heard of.
    public var heartbeatInterval: Duration
    /// How long the members get to finish what they have and join again when the group rebalances.
    public var rebalanceTimeout: Duration
    /// A broker waits until it has this many bytes for us, or `fetchMaximumWait` is over.
    public var fetchMinimumBytes: Int
    /// Bytes of one answer, over all partitions. A single batch may be larger.
    public var fetchMaximumBytes: Int
    /// Bytes of one answer for one partition. A single batch may be larger.
    public var partitionMaximumBytes: Int
    /// How long a broker may wait for records before it answers without any.
    public var fetchMaximumWait: Duration
    /// Fetched bytes that may wait to be consumed; beyond it nothing more is fetched.
    public var prefetchBytes: Int
    /// Where to start without a valid offset.
    public var offsetReset: OffsetReset
    /// How partitions are spread over members; the first that all members know is used.
    public var assignors: [PartitionAssignor]
    /// Hand out batches without records too, where only transaction markers were passed: for those who wait until an
    /// offset is reached.
    public var deliversEmptyBatches = false

    public init(
        group: String, topics: TopicSelection, topicRefresh: Duration = .seconds(1),
        sessionTimeout: Duration = .seconds(10), heartbeatInterval: Duration = .seconds(3),
        rebalanceTimeout: Duration = .seconds(60), fetchMinimumBytes: Int = 1, fetchMaximumBytes: Int = 8 << 20,
        partitionMaximumBytes: Int = 1 << 20, fetchMaximumWait: Duration = .milliseconds(500),
        prefetchBytes: Int = 8 << 20, offsetReset: OffsetReset = .earliest,
        assignors: [PartitionAssignor] = [.range, .roundRobin]
    ) {
        self.group = group
        self.topics = topics
        self.topicRefresh = topicRefresh
        self.sessionTimeout = sessionTimeout
        self.heartbeatInterval = heartbeatInterval
        self.rebalanceTimeout = rebalanceTimeout
        self.fetchMinimumBytes = fetchMinimumBytes
        self.fetchMaximumBytes = fetchMaximumBytes
        self.partitionMaximumBytes = partitionMaximumBytes
        self.fetchMaximumWait = fetchMaximumWait
        self.prefetchBytes = prefetchBytes
        self.offsetReset = offsetReset
        self.assignors = assignors
    }
}

/// The topics a consumer reads.
public enum TopicSelection: Sendable, Equatable {
    /// These, once they exist.
    case named([TopicName])
    /// Those whose whole name matches the regular expression, also ones created later, but none of `excluding` and
    /// none that the cluster made for itself.
    case pattern(String, excluding: Set<String> = [])
}

extension TopicSelection {
    /// - Throws: `KafkaClientError.invalidPattern`.
    func validate() throws(KafkaClientError) {
        guard case .pattern(let text, _) = self else { return }
        do {
            _ = try Regex(text)
        } catch {
            throw .invalidPattern(text, reason: "\(error)")
        }
    }

    /// Which of the cluster's topics are selected, sorted.
    func selected(from topics: some Sequence<TopicDescription>) -> [TopicName] {
        switch self {
        case .named(let names):
            return Set(names).sorted()
        case .pattern(let text, let excluded):
            // Validated when the consumer was made. Made anew each time, as a Regex must not cross tasks.
            guard let regex = try? Regex(text) else { return [] }
            return topics.filter { topic in
                guard !topic.isInternal, !excluded.contains(topic.name.rawValue) else { return false }
                return (try? regex.wholeMatch(in: topic.name.rawValue)) != nil
            }.map(\.name).sorted()
        }
    }
}
