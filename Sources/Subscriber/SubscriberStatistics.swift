public import Aggregation
public import SeriesStore

/// What a subscriber has done since it started, and where it stands.
public struct SubscriberStatistics: Hashable, Sendable {
    /// Records read from the topics, duplicates included.
    public var recordsRead: Int64 = 0
    /// Samples in committed transactions.
    public var samplesStored: Int64 = 0
    /// Records of an agent that had been counted before, and were dropped.
    public var duplicateRecords: Int64 = 0
    /// Samples whose series already had one at that timestamp, and were dropped.
    public var duplicateSamples: Int64 = 0
    /// Samples older than their retention, which were dropped.
    public var expiredSamples: Int64 = 0
    /// What limits refused: series, and samples of such series, which were dropped.
    public var overflow: [SeriesOverflow.Cause: SeriesOverflow] = [:]
    /// Lines (or whole records) that are no samples, sent to the topic for rejected ones.
    public var rejectedLines: Int64 = 0
    /// Of these, how many that topic did not take.
    public var lostRejections: Int64 = 0
    /// Values that are no numbers, such as the strings of InfluxDB's line protocol, and were passed over.
    public var skippedValues: Int64 = 0
    public var commits: Int64 = 0
    /// Commits that were given up because another process of the group had stored some of it before.
    public var supersededCommits: Int64 = 0
    public var seriesCreated: Int64 = 0
    /// How long the latest transaction took.
    public var lastCommitDuration: Duration = .zero
    /// Records in the topics, at the latest look, that are not in the database.
    public var lag: Int64 = 0
    /// The same by topic.
    public var lagByTopic: [String: Int64] = [:]
    /// What was amiss with whose records, by the records' key.
    public var sources: [String: SourceStatistics] = [:]
    /// Records that were deleted from the topics before they were read, by topic.
    public var missedRecords: [String: Int64] = [:]
    /// What is remembered of series.
    public var memory = SeriesMemory()
    /// What was done about alerts.
    public var alerts = AlertStatistics()
    /// Samples of direct links that were in hand when another process of the group was first, and were dropped.
    public var droppedDirectSamples: Int64 = 0
    /// What came on direct links; nil where there are none.
    public var direct: DirectIntakeStatistics?
    /// What the rules have done, by their names. Empty where another process of the group sees to it.
    public var rules: [String: RuleStatistics] = [:]
    /// Records of rules that the cluster has taken.
    public var emittedRecords: Int64 = 0
    /// Records of rules that it will never take.
    public var lostEmissions: Int64 = 0
    /// Records of rules that wait for it, at the latest look.
    public var waitingEmissions = 0
    /// Since when some have been waiting; nil when none is.
    public var emissionsWaitSince: ContinuousClock.Instant?
    /// How often windows were left open because too many records wait.
    public var heldBackWindows: Int64 = 0
    /// The database and its write-ahead log, on disk.
    public var databaseBytes: Int64 = 0

    public init() {}
}

/// What a subscriber remembers of series, to know them by their bytes.
public struct SeriesMemory: Hashable, Sendable {
    /// Spellings of series that are remembered now.
    public var spellings = 0
    /// Series that were forgotten because the database has no row for them and there were too many.
    public var forgotten: Int64 = 0
    /// Samples whose series was spelled in a way that is not remembered, for there are too many.
    public var respelledSamples: Int64 = 0
}

/// What was done about alerts.
public struct AlertStatistics: Hashable, Sendable {
    /// What became of alerts, each time.
    public var events: [AlertState: Int64] = [:]
    /// Of these, how many the topic did not take.
    public var lostEvents: Int64 = 0
    /// Series that are followed, once for each condition that they meet the selector of.
    public var watchedSeries: Int64 = 0
    /// Samples that were not followed because too many series are.
    public var unwatchedSamples: Int64 = 0

    public init() {}
}

/// What was amiss with the records of one source.
public struct SourceStatistics: Hashable, Sendable {
    /// Samples of a minute before the newest one of the source.
    public var lateSamples: Int64 = 0
    /// Samples so far in the future that the source's clock has to be wrong.
    public var futureSamples: Int64 = 0
    /// Samples so old that the source's clock is wrong, or it was away for long.
    public var pastSamples: Int64 = 0
    public var rejectedLines: Int64 = 0
    public var duplicateRecords: Int64 = 0
    public var duplicateSamples: Int64 = 0

    static func += (sum: inout SourceStatistics, other: SourceStatistics) {
        sum.lateSamples += other.lateSamples
        sum.futureSamples += other.futureSamples
        sum.pastSamples += other.pastSamples
        sum.rejectedLines += other.rejectedLines
        sum.duplicateRecords += other.duplicateRecords
        sum.duplicateSamples += other.duplicateSamples
    }
}
