/// How far the database has come: where reading goes on, and which records of which agents it holds.
public struct StoredProgress: Sendable {
    public var offsets: [SourcePartition: Int64]
    public var sequences: [AgentStream: SequenceSet]
    /// Where conditions stand.
    public var alerts: [StoredAlert] = []
}
