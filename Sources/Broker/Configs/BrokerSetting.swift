import CommitLog
import KafkaProtocol
import NIOCore

/// A setting of the broker as DescribeConfigs shows it. They are given on the command line and cannot be altered over
/// the wire. A value.
struct BrokerSetting: Sendable {
    let name: String
    let value: String
    let type: ConfigType

    /// By name, with Kafka's names.
    static func all(of configuration: BrokerConfiguration, port: Int) -> [BrokerSetting] {
        let limits = configuration.limits
        let sessions = configuration.groups.sessionTimeouts
        func int(_ name: String, _ value: some BinaryInteger) -> BrokerSetting {
            BrokerSetting(name: name, value: "\(value)", type: .int)
        }
        func milliseconds(_ duration: Duration) -> Int64 { TimeAmount(duration).nanoseconds / 1_000_000 }
        return [
            BrokerSetting(
                name: "auto.create.topics.enable", value: "\(configuration.autoCreateTopics)", type: .boolean),
            int("broker.id", configuration.nodeID),
            int("group.max.session.timeout.ms", sessions.upperBound.milliseconds),
            int("group.max.size", limits.membersPerGroup),
            int("group.min.session.timeout.ms", sessions.lowerBound.milliseconds),
            BrokerSetting(
                name: "listeners", value: "PLAINTEXT://\(configuration.host):\(port)", type: .string),
            BrokerSetting(name: "log.dirs", value: configuration.dataDirectory, type: .string),
            int("log.cleaner.backoff.ms", milliseconds(configuration.housekeeping.compactionCheck)),
            int("log.cleaner.dedupe.buffer.size", limits.compactionBytes),
            int("log.retention.check.interval.ms", milliseconds(configuration.housekeeping.retentionCheck)),
            int("log.segment.bytes", configuration.log.segmentBytes),
            int("message.max.bytes", limits.batchBytes),
            int("num.partitions", configuration.defaultPartitions),
            int("offset.metadata.max.bytes", limits.offsetMetadataBytes),
            int("offsets.topic.num.partitions", configuration.groups.offsetsPartitions),
            int("producer.id.expiration.ms", configuration.transactions.producerExpiration.milliseconds),
            int("socket.request.max.bytes", limits.connection.frameBytes),
            int("transaction.max.timeout.ms", configuration.transactions.maximumTimeout.milliseconds),
            int("transaction.state.log.num.partitions", configuration.transactions.topicPartitions),
            int("transactional.id.expiration.ms", configuration.transactions.idExpiration.milliseconds),
        ]
    }
}
