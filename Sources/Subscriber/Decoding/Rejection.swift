internal import KafkaClient
internal import KafkaProtocol
internal import NIOCore
internal import RecordBatch

/// Something that was read and is no sample: a line, or a whole record. It goes to the topic `metrics.rejected` with
/// the reason and the place it came from.
struct Rejection: Sendable {
    /// Of what is sent along of the line or record; longer ones are cut and say how long they were.
    static let maximumValueBytes = 64 << 10

    let reason: String
    let source: TopicPartition
    let offset: Offset
    /// Within the record, from 1; nil when the record as a whole is meant.
    let line: Int?
    /// The agent that sent the record, if one did.
    let agent: String?
    /// The record's key.
    let key: ByteBuffer?
    let value: ByteBuffer
    private let fullByteCount: Int

    init(
        reason: String, source: TopicPartition, offset: Offset, line: Int? = nil, agent: String? = nil,
        key: UnsafeRawBufferPointer? = nil, value: UnsafeRawBufferPointer? = nil
    ) {
        self.reason = reason
        self.source = source
        self.offset = offset
        self.line = line
        self.agent = agent
        self.key = key.map { ByteBuffer(bytes: $0) }
        self.value = value.map { ByteBuffer(bytes: $0.prefix(Self.maximumValueBytes)) } ?? ByteBuffer()
        fullByteCount = value?.count ?? 0
    }

    func message(to topic: TopicName) -> ProducerMessage {
        var headers = [
            header("weir-reason", reason),
            header("weir-topic", source.topic.rawValue),
            header("weir-partition", "\(source.partition)"),
            header("weir-offset", "\(offset)"),
        ]
        if let line { headers.append(header("weir-line", "\(line)")) }
        if let agent { headers.append(header("weir-agent", agent)) }
        if fullByteCount > Self.maximumValueBytes { headers.append(header("weir-bytes", "\(fullByteCount)")) }
        return ProducerMessage(topic: topic, key: key, value: value, headers: headers)
    }

    private func header(_ name: String, _ value: String) -> RecordHeader {
        RecordHeader(key: name, value: ByteBuffer(string: value))
    }
}

extension Rejection: CustomStringConvertible {
    var description: String {
        "\(source) offset \(offset)\(line.map { " line \($0)" } ?? ""): \(reason)"
    }
}
