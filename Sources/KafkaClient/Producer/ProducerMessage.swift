public import KafkaProtocol
public import NIOCore
public import RecordBatch

/// One record to be sent.
public struct ProducerMessage: Sendable {
    /// Created on first use if the cluster is configured so.
    public var topic: TopicName
    /// Nil: chosen by the key, or, without a key, batch by batch in turn.
    public var partition: PartitionIndex?
    /// Records with the same key stay in order, in one partition.
    public var key: ByteBuffer?
    /// Nil is a tombstone in a compacted topic.
    public var value: ByteBuffer?
    /// In this order.
    public var headers: [RecordHeader]
    /// Milliseconds since the epoch; nil: now.
    public var timestamp: Int64?

    public init(
        topic: TopicName, partition: PartitionIndex? = nil, key: ByteBuffer? = nil, value: ByteBuffer?,
        headers: [RecordHeader] = [], timestamp: Int64? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }

    /// At most this many bytes in a batch, before compression.
    var estimatedBytes: Int {
        RecordBatchBuilder.maximumRecordBytes(
            key: key?.readableBytes ?? 0, value: value?.readableBytes ?? 0,
            headers: headers.reduce(0) { $0 + $1.key.utf8.count + ($1.value?.readableBytes ?? 0) },
            headerCount: headers.count)
    }
}
