/// One partition of one topic.
///
/// A value. Its text, `metrics.cpu-0`, is also the name of the partition's directory.
public struct TopicPartition: Hashable, Sendable {
    public var topic: TopicName
    public var partition: PartitionIndex

    public init(topic: TopicName, partition: PartitionIndex) {
        self.topic = topic
        self.partition = partition
    }
}

extension TopicPartition: Comparable, CustomStringConvertible {
    public static func < (a: TopicPartition, b: TopicPartition) -> Bool {
        a.topic == b.topic ? a.partition < b.partition : a.topic < b.topic
    }

    public var description: String { "\(topic)-\(partition)" }
}
