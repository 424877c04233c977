import KafkaClient
import KafkaProtocol
import RecordBatch

/// Where an agent's records go. Any thread; topics are published side by side, the batches of one topic one after the
/// other.
protocol Publisher: Sendable {
    /// Returns once the other side has taken the batch for good. Waits while it is away, until the task is cancelled.
    ///
    /// - Throws: what the other side has against the batch; it will be offered again.
    func publish(_ batch: EncodedBatch, to topic: TopicName) async throws

    /// Whether the other side takes what is sent; nil when nothing was sent yet.
    var isReachable: Bool? { get }

    /// What its connections carry.
    var traffic: ConnectionTraffic { get }

    /// Ends connections. Later calls throw.
    func close() async
}
