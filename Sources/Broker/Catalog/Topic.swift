import KafkaProtocol

/// A topic that exists: its identity and its open partitions. Immutable; creating and deleting replace it in the
/// catalogue.
final class Topic: Sendable {
    let name: TopicName
    /// Never used again after the topic is deleted.
    let id: TopicID
    /// In the order of their indexes, from 0.
    let partitions: [Partition]
    let configs: [TopicConfig]
    /// What the configs come to.
    let settings: TopicSettings

    init(name: TopicName, id: TopicID, partitions: [Partition], configs: [TopicConfig]) {
        self.name = name
        self.id = id
        self.partitions = partitions
        self.configs = configs
        self.settings = TopicSettings(configs)
    }

    /// Written by the broker itself; clients may read it.
    var isInternal: Bool { Self.internalNames.contains(self.name.rawValue) }

    static let offsetsTopicName = "__consumer_offsets"
    static let transactionsTopicName = "__transaction_state"
    static let internalNames: Set<String> = [offsetsTopicName, transactionsTopicName]

    /// The partition of an internal topic that holds all records of a group or transactional id.
    static func partitionIndex(of id: String, among count: Int) -> Int32 {
        (self.javaHash(id) & Int32.max) % max(1, Int32(clamping: count))
    }

    /// Java's `String.hashCode`, over UTF-16 units.
    static func javaHash(_ text: String) -> Int32 {
        text.utf16.reduce(0) { $0 &* 31 &+ Int32($1) }
    }

    func partition(_ index: Int32) -> Partition? {
        index >= 0 && Int(index) < self.partitions.count ? self.partitions[Int(index)] : nil
    }
}

/// Why a topic is not created, found or deleted, as a client is told.
struct TopicRefusal: Error {
    let code: ErrorCode
    let reason: String

    init(_ code: ErrorCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}
