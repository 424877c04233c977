/// One numbered stream of records: an agent's spool for one topic, in one life (epoch) of that spool.
public struct AgentStream: Hashable, Sendable {
    /// The agent's UUID as text.
    public let agent: String
    public let epoch: Int64
    public let topic: String

    public init(agent: String, epoch: Int64, topic: String) {
        self.agent = agent
        self.epoch = epoch
        self.topic = topic
    }
}

extension AgentStream: CustomStringConvertible {
    public var description: String { "agent \(agent), epoch \(epoch), topic \(topic)" }
}
