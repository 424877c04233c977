public import Aggregation
public import KafkaClient
internal import KafkaProtocol
public import SeriesStore

/// What a subscriber reads, where it stores it, and how often it commits.
public struct SubscriberConfiguration: Sendable {
    /// All topics of samples, those that subscribers publish themselves left out.
    public static let standardTopicPattern = #"metrics\.(?!rollup\.).*"#
    public static let standardRejectedTopic = "metrics.rejected"
    public static let standardAlertsTopic = "alerts"

    /// Brokers to ask first; may be empty where `direct` is set.
    public var bootstrap: [BrokerAddress]
    /// Where to listen for publishers that need no broker; nil for nowhere.
    public var direct: DirectListening?
    /// The consumer group. Its committed offsets follow the database; they are for tools that show the lag. The database is the
    /// group's: several processes of one group may share it, on one host.
    public var group = "weir"
    /// How this process is known in the group.
    public var identity = GroupIdentity.placeAtDatabase
    /// A process that is not heard of for this long has its partitions given to others of the group.
    public var sessionTimeout: Duration = .seconds(10)
    /// For how long windows wait for another process of the group that says nothing: until the partitions that it had are
    /// with others, who say how far these are. A session times out, the others hear of it with their next heartbeat, and it takes
    /// a moment to begin with a partition.
    var memberPatience: Duration { sessionTimeout * 2 + .seconds(5) }
    /// The topics to read: a regular expression over the whole name. New topics are found while it runs.
    public var topicPattern = Self.standardTopicPattern
    /// Where lines that are no samples go; never read.
    public var rejectedTopic = Self.standardRejectedTopic
    /// What alerts are raised on, in the mode `realtime`.
    public var conditions: [ThresholdCondition] = []
    /// Where what becomes of alerts is published; never read.
    public var alertsTopic = Self.standardAlertsTopic
    /// The formats of topics whose records have no content type; the first that matches counts. Others are in the
    /// Prometheus text format.
    public var formats: [TopicFormat] = []
    /// The SQLite file, created when it does not exist.
    public var databasePath: String
    /// The database does not grow beyond this (its write-ahead log not counted): commits, and then reading, wait until there is
    /// room again. Nil: as large as its disk.
    public var maximumDatabaseBytes: Int64?
    public var mode = ProcessingMode.batch
    /// What a mode that closes windows aggregates, and `realtime` alerts on. Nil: in mode `stream` the one-minute windows of
    /// every series, else nothing.
    public var rules: RuleFile?
    /// When a source no longer holds event time back, and which clocks are taken for wrong ones.
    public var watermark = WatermarkSettings()
    /// With more records of rules waiting to be emitted, because the cluster does not take them, windows stay open.
    public var maximumWaitingEmissions = 200_000
    public var commitPolicy = CommitPolicy()
    /// How long samples and windows are kept.
    public var retention = RetentionPolicy.forever
    /// How many series are taken.
    public var seriesLimits = SeriesLimits()

    public init(bootstrap: [BrokerAddress], databasePath: String) {
        self.bootstrap = bootstrap
        self.databasePath = databasePath
    }
}

/// When what has been read is committed to the database.
///
/// The commit grows with the load: idle, a record is committed as it comes; busy, a transaction takes whatever came
/// while the one before it ran, and the pause between two grows with what they take.
public struct CommitPolicy: Hashable, Sendable {
    /// From one commit's start to the next one's, at least. Gathers what several agents send at the same moment.
    public var minimumInterval: Duration = .milliseconds(200)
    /// From one commit's start to the next one's, at most, whatever the last one took.
    public var maximumInterval: Duration = .seconds(2)
    /// Samples that wait for a commit; with more, reading waits. Rejected lines count as some dozens each.
    public var maximumSamples = 2_000_000

    public init() {}

    /// How long after a commit's start the next may start, when the commit took `duration`: so that at most a
    /// quarter of the time goes into commits that could have been one.
    func interval(afterCommitOf duration: Duration) -> Duration {
        min(max(minimumInterval, duration * 4), maximumInterval)
    }
}
