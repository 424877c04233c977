/// Where samples come from: a topic's name and a partition's number, whatever the source means by them.
public struct SourcePartition: Hashable, Sendable {
    public let topic: String
    public let partition: Int32

    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }
}

extension SourcePartition: CustomStringConvertible {
    public var description: String { "\(topic)-\(partition)" }
}
