internal import KafkaClient
internal import KafkaProtocol
internal import MetricModel
internal import NIOCore
internal import RecordBatch
internal import SeriesStore

extension Emission {
    /// The record that others read. The first three headers are an agent's, so that a subscriber drops what was sent twice
    /// as it does for agents; others know it by rule, key and window, of which the highest epoch and revision counts.
    ///
    /// Its timestamp is the time of sending, so that a topic keeps it as long as it keeps others; the lines have the windows'.
    func message(from identity: String) throws(InvalidTopicName) -> ProducerMessage {
        let headers = [
            ("weir-agent", identity), ("weir-epoch", "\(id.epoch)"), ("weir-sequence", "\(id.sequence)"),
            ("weir-rule", rule), ("weir-window-start", "\(windowStart.milliseconds)"),
            ("weir-window-end", "\(windowEnd.milliseconds)"), ("weir-revision", "\(revision)"),
        ]
        return ProducerMessage(
            topic: try TopicName(id.topic), key: ByteBuffer(string: key), value: ByteBuffer(string: value),
            headers: headers.map { RecordHeader(key: $0.0, value: ByteBuffer(string: $0.1)) })
    }
}
