/// Whoever's clock a sample was measured with, and the partition it came through: one host's samples lie in one partition.
public struct EventTimeSource: Hashable, Sendable {
    /// A partition of a topic.
    public struct Partition: Hashable, Sendable, CustomStringConvertible {
        public let topic: String
        public let index: Int32

        public init(topic: String, index: Int32) {
            self.topic = topic
            self.index = index
        }

        public var description: String { "\(topic)-\(index)" }
    }

    public let partition: Partition
    /// The record's key, which is the host's `instance`; empty where a record has none.
    public let instance: String

    public init(partition: Partition, instance: String) {
        self.partition = partition
        self.instance = instance
    }
}

extension EventTimeSource: CustomStringConvertible {
    public var description: String { instance.isEmpty ? "\(partition)" : "\(instance) (\(partition))" }
}
