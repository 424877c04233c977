import KafkaClient
import KafkaProtocol
import NIOCore
import RecordBatch

extension ClientConfiguration {
    /// For tests: quick to give up, quick to come back.
    static func local(port: Int, requestTimeout: Duration = .seconds(5)) -> ClientConfiguration {
        ClientConfiguration(
            bootstrap: [BrokerAddress(host: "127.0.0.1", port: port)], clientID: "tests",
            requestTimeout: requestTimeout, retryBackoff: .milliseconds(10)...(.milliseconds(100)))
    }
}

func topic(_ name: String) throws -> TopicName { try TopicName(name) }

func partition(_ topic: String, _ index: Int32 = 0) throws -> TopicPartition {
    TopicPartition(topic: try TopicName(topic), partition: PartitionIndex(index))
}

func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

func batch(_ values: [String], compression: CompressionCodec = .none) throws -> EncodedBatch {
    var builder = RecordBatchBuilder(compression: compression)
    for (index, value) in values.enumerated() {
        builder.append(timestamp: Int64(1000 + index), key: nil, value: bytes(value))
    }
    return try builder.finish()
}
