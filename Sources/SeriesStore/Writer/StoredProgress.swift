/// How far the database has come: where reading goes on, and which records of which agents it holds.
public struct StoredProgress: Sendable {
    public var positions: [SourcePartition: SourcePosition]
    public var sequences: [AgentStream: SequenceSet]
    /// Where conditions stand.
    public var alerts: [StoredAlert]

    /// Nothing, or what is given.
    public init(
        positions: [SourcePartition: SourcePosition] = [:], sequences: [AgentStream: SequenceSet] = [:],
        alerts: [StoredAlert] = []
    ) {
        self.positions = positions
        self.sequences = sequences
        self.alerts = alerts
    }

    /// Where reading goes on, without the topics' ids.
    public var offsets: [SourcePartition: Int64] { positions.mapValues(\.nextOffset) }
}
