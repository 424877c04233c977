public import MetricModel

/// One record that is to be emitted: what a rule gives for one group in one window. A row of the table `outbox`.
public struct Emission: Hashable, Sendable {
    /// What readers recognise a record by that was sent twice: as an agent's by its id, epoch and sequence.
    public struct ID: Hashable, Sendable {
        public let topic: String
        /// Of the process that stored it; later processes have higher ones.
        public let epoch: Int64
        /// From 0, without gaps in each topic and epoch.
        public let sequence: Int64
    }

    public let id: ID
    public let rule: String
    public let windowStart: Timestamp
    public let windowEnd: Timestamp
    public let revision: Int
    /// What the group is called, as the text of a series.
    public let key: String
    /// Prometheus text: the group's results, with the window's end as their time.
    public let value: String
}
