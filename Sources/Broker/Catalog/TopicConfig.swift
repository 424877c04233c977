/// A setting of one topic that is not at its default, by Kafka's name.
struct TopicConfig: Sendable, Equatable {
    let name: String
    let value: String
}
