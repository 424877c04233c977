/// How far the database has come: where reading goes on, and which records of which agents it holds.
public struct StoredProgress: Sendable {
    public var positions: [SourcePartition: SourcePosition]
    public var sequences: [AgentStream: SequenceSet]

    /// Where reading goes on, without the topics' ids.
    public var offsets: [SourcePartition: Int64] { positions.mapValues(\.nextOffset) }
}
