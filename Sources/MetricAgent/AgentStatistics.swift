/// What an agent has done since it started, at one moment.
public struct AgentStatistics: Sendable, Equatable {
    /// Read from the kernel.
    public var samplesCollected = 0
    /// Of those, on disk in the spool: they will arrive.
    public var samplesAccepted = 0
    /// Of those, not taken by the spool because it was full or the disk failed.
    public var samplesRefused = 0
    /// Runs that gave no samples, by collector.
    public var collectorErrors: [CollectorName: Int] = [:]
    /// Runs that were left out because the one before took too long.
    public var ticksMissed = 0
    /// Taken by the broker. One collector run is one record.
    public var recordsPublished = 0
    /// Found unreadable in the spool.
    public var recordsLost = 0
    /// In the spool and not taken by the broker yet.
    public var recordsWaiting = 0
    public var bytesWaiting = 0
    /// What the spool takes on disk, with what is acknowledged and not yet deleted.
    public var spoolBytes = 0
    /// Nil until something was published or an attempt took too long.
    public var isBrokerReachable: Bool?
    /// By destination, for an agent that publishes without a broker.
    public var direct: [DirectStatistics] = []
    /// Connections that are open, and bytes they have carried.
    public var connections = 0
    public var bytesIn = 0
    public var bytesOut = 0

    public init() {}
}
