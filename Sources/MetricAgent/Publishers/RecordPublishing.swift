import KafkaProtocol
import MetricModel

/// A lane's way out: takes one collector run as one record of one topic. Any task, one record after the other.
protocol RecordSink: Sendable {
    var topic: TopicName { get }

    /// Returns once the record is accepted: a spool has it on disk then, a direct link in its queue.
    func accept(_ text: [UInt8], sampleCount: Int, timestamp: Timestamp) async throws(SpoolError)
}

/// What an agent publishes with. Owned by the ``AgentService``.
protocol RecordPublishing: Sendable {
    /// The way out for a topic's records; one of those that the publisher was made for.
    func sink(for topic: TopicName) -> any RecordSink

    /// Sends what was accepted, until the task is cancelled.
    func run() async

    /// Lets what was accepted go out, if the other side takes it, but does not wait for longer than `grace`.
    func sayFarewell(within grace: Duration) async

    /// Ends connections and closes files.
    func close() async throws

    /// Whether everything accepted has been sent, as far as that is known.
    var isEmpty: Bool { get }

    func add(to statistics: inout AgentStatistics)

    /// Says at the start what a person has to know.
    func announce()

    /// Where the records go, in a few words.
    var whereabouts: String { get }
}
