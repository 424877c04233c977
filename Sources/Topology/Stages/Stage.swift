/// A pipeline as it is declared: who publishes what, who subscribes, through which brokers, and who is connected to whom.
///
/// A value. Read from YAML by ``StageReader``; ``StagePlan`` makes processes of it, ``StageShape`` counts them.
///
///     stage: pubsub
///     title: One broker between them
///     publishers:
///       - {name: cpu, kind: cpu, processes: 2}
///     brokers:
///       - name: broker
///     subscribers:
///       - name: dashboard
///     links:
///       - {from: publishers, to: broker}
///       - {from: broker, to: subscribers}
public struct Stage: Hashable, Sendable {
    public var name: String
    /// One line for headings.
    public var title: String
    /// What this step of the evolution is about, in a sentence or two.
    public var story: String
    public var publishers: [Publisher]
    public var brokers: [Broker]
    public var subscribers: [Subscriber]
    /// In the order in which they are declared, names resolved: one entry a pair.
    public var links: [Link]
    /// Broker to broker. Declared and drawn; see ``running``.
    public var mirrors: [Link]
    /// What the stage is loaded with where nothing else is asked for.
    public var load: StageLoad

    /// Processes that publish one kind of samples.
    public struct Publisher: Hashable, Sendable {
        public var name: String
        public var kind: WorkloadKind
        /// How many processes of this name there are; they share the hosts.
        public var processes: Int
    }

    public struct Broker: Hashable, Sendable {
        public var name: String
        public var partitions: Int
    }

    /// Processes that store what they receive. Several of one name are members of one consumer group.
    public struct Subscriber: Hashable, Sendable {
        public var name: String
        public var processes: Int
    }

    /// `from` hands samples to `to`: a publisher to a subscriber directly or to a broker, a broker to a subscriber.
    public struct Link: Hashable, Sendable {
        public var from: String
        public var to: String
        /// Which topics a subscriber takes from a broker: a regular expression over the whole name.
        public var topics: String

        public static let metricTopics = #"metrics\.(?!rollup\.).*"#

        public init(from: String, to: String, topics: String = metricTopics) {
            self.from = from
            self.to = to
            self.topics = topics
        }
    }
}

extension WorkloadKind {
    /// Log events and user activity come at a rate of events; metrics at an interval.
    public var isEvents: Bool { self == .log || self == .activity }
}

/// How much work a stage is given. The same for all stages of one comparison.
public struct StageLoad: Hashable, Sendable, Codable {
    /// Hosts that are played, over all publishers of a kind.
    public var hosts = 100
    /// Series of each host, over all kinds of metrics.
    public var series = 200
    /// Milliseconds between two collections.
    public var intervalMilliseconds = 1000
    /// Events a second of each kind of events.
    public var events = 1000

    public init() {}

    /// Little of it: what several stages can be given at once without being in each other's way.
    public var calm: StageLoad {
        var load = self
        load.hosts = min(hosts, 20)
        load.series = min(series, 50)
        load.events = min(events, 100)
        return load
    }

    /// As many samples a second as asked for, of the same series: they are collected more often.
    public func at(samplesPerSecond rate: Int) -> StageLoad {
        var load = self
        load.intervalMilliseconds = max(10, hosts * series * 1000 / max(1, rate))
        return load
    }

    public var interval: Duration { .milliseconds(intervalMilliseconds) }

    /// Metric samples a second that all publishers together make.
    public var samplesPerSecond: Double { Double(hosts * series) * 1000 / Double(intervalMilliseconds) }
}

extension Stage {
    /// The part that can be run: without brokers that only a mirror feeds, and without the subscribers of these.
    public var running: Stage {
        let mirrored = Set(mirrors.map(\.to))
        var stage = self
        stage.brokers.removeAll { mirrored.contains($0.name) }
        stage.links.removeAll { mirrored.contains($0.from) || mirrored.contains($0.to) }
        let fed = Set(stage.links.map(\.to))
        stage.subscribers.removeAll { !fed.contains($0.name) }
        stage.mirrors = []
        return stage
    }

    public func isBroker(_ name: String) -> Bool { brokers.contains { $0.name == name } }
    public func isSubscriber(_ name: String) -> Bool { subscribers.contains { $0.name == name } }
    public func isPublisher(_ name: String) -> Bool { publishers.contains { $0.name == name } }

    /// Whether samples go from a publisher to a subscriber without a broker.
    public var isDirect: Bool { links.contains { isPublisher($0.from) && isSubscriber($0.to) } }

    /// The subscribers that a publisher's samples are to reach.
    public func destinations(of publisher: String) -> Set<String> {
        var reached: Set<String> = []
        for link in links where link.from == publisher {
            if isSubscriber(link.to) {
                reached.insert(link.to)
            } else {
                for second in links where second.from == link.to { reached.insert(second.to) }
            }
        }
        return reached
    }
}
