/// What can be counted in a declaration without running it.
public struct StageShape: Hashable, Sendable, Codable {
    public let publishers: Int
    public let brokers: Int
    public let subscribers: Int
    /// Links between two processes: N × M where every publisher is connected to every subscriber, N + M around a broker.
    public let connections: Int

    public var processes: Int { publishers + brokers + subscribers }

    public init(_ stage: Stage) {
        publishers = stage.publishers.reduce(0) { $0 + $1.processes }
        brokers = stage.brokers.count
        subscribers = stage.subscribers.reduce(0) { $0 + $1.processes }
        var counts: [String: Int] = [:]
        for publisher in stage.publishers { counts[publisher.name] = publisher.processes }
        for subscriber in stage.subscribers { counts[subscriber.name] = subscriber.processes }
        connections = stage.links.reduce(0) { $0 + counts[$1.from, default: 1] * counts[$1.to, default: 1] }
    }
}
