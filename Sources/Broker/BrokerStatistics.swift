/// What a broker has done since it started, and how many connections it has now.
public struct BrokerStatistics: Sendable, Equatable {
    public var connections = 0
    public var requests = 0
    /// Connections taken since the start.
    public var acceptedConnections = 0
    /// Bytes of all requests taken and of all answers given since the start.
    public var receivedBytes = 0
    public var answeredBytes = 0
    public var producedRecords = 0
    public var producedBytes = 0
    /// Bytes of records answered to fetches.
    public var fetchedBytes = 0
    public var topics = 0
    public var partitions = 0
    /// Connections closed at once, as a limit was reached.
    public var refusedConnections = 0
    /// Connections closed as requests took too much memory.
    public var crowdedOutConnections = 0
    /// Bytes of requests that are half arrived or unanswered now.
    public var requestBytes = 0
    /// Connections closed as nothing happened on them.
    public var idleConnections = 0
    /// Requests refused as there were too many groups.
    public var refusedGroups = 0
    /// Members refused as their group, or all groups together, had too many or too large ones.
    public var refusedMembers = 0
    /// Connections closed as what they sent was no request, or one beyond a limit.
    public var unreadableRequests = 0
    /// Bytes of answers that wait for peers to take them now.
    public var answerBytes = 0
    /// Connections closed as they did not take their answers while memory for answers was short.
    public var stalledConnections = 0
    /// Segments, and bytes of them, that retention has removed.
    public var expiredSegments = 0
    public var expiredBytes = 0
    /// Bytes of superseded records that compaction has removed.
    public var compactedBytes = 0
    /// Batches refused as the disk has little room.
    public var lowSpaceRefusals = 0
    /// Batches that could not be written, as the disk was full or failed.
    public var failedWrites = 0

    public init() {}
}
