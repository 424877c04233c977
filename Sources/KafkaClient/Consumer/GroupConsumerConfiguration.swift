/// What a ``GroupConsumer`` reads, and how.
public struct GroupConsumerConfiguration: Sendable {
    /// The consumer group's id.
    public var group: String
    /// What to read at first; ``GroupConsumer/subscribe(to:)`` changes it.
    public var topics: TopicSelection
    /// How often a pattern is held against the cluster's topics, and a named topic that does not exist is looked for.
    public var topicRefresh: Duration
    /// A member that has not been heard of for this long has its partitions given to others.
    public var sessionTimeout: Duration
    /// How often the member is heard of.
    public var heartbeatInterval: Duration
    /// How long the members get to finish what they have and join again when the group rebalances.
    public var rebalanceTimeout: Duration
    /// The static member's id (`group.instance.id`, KIP-345), unique in the group; nil for a dynamic member. If a static
    /// member is back within the session timeout it goes on with the partitions it had, and the others notice nothing. Needs
    /// Kafka 2.3; in a group of an older broker the member is a dynamic one.
    public var instanceID: String?
    /// Whether a static member leaves the group when it is closed, as a dynamic one always does, so that the others have its
    /// partitions at once (KIP-1092). One that does not is waited for until its session ends.
    public var leavesWhenStatic: Bool
    /// How partitions are spread over members, in order of preference; the first that all members know is used. If all
    /// of them are cooperative, partitions that stay with a member are read on during a rebalance (KIP-429); otherwise
    /// every rebalance takes all partitions from everybody first.
    public var assignors: [PartitionAssignor]
    /// How records are fetched.
    public var fetching: FetchConfiguration

    /// The default assignors are Kafka's own: with them a group can go over to `[.cooperativeSticky]` member by member.
    public init(
        group: String, topics: TopicSelection, topicRefresh: Duration = .seconds(1),
        sessionTimeout: Duration = .seconds(10), heartbeatInterval: Duration = .seconds(3),
        rebalanceTimeout: Duration = .seconds(60), instanceID: String? = nil,
        leavesWhenStatic: Bool = false,
        assignors: [PartitionAssignor] = [.range, .cooperativeSticky],
        fetching: FetchConfiguration = FetchConfiguration()
    ) {
        self.group = group
        self.topics = topics
        self.topicRefresh = topicRefresh
        self.sessionTimeout = sessionTimeout
        self.heartbeatInterval = heartbeatInterval
        self.rebalanceTimeout = rebalanceTimeout
        self.instanceID = instanceID
        self.leavesWhenStatic = leavesWhenStatic
        self.assignors = assignors
        self.fetching = fetching
    }

    var isCooperative: Bool { assignors.allSatisfy(\.isCooperative) }
}
