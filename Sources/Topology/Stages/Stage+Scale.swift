extension Stage {
    /// Every one of `publishers` connected to every one of `subscribers`.
    static func mesh(_ publishers: Int, _ subscribers: Int) -> Stage {
        var stage = scaled("mesh", publishers, subscribers)
        stage.links = stage.subscribers.map { Link(from: "cpu", to: $0.name) }
        return stage
    }

    /// The same around one broker.
    static func hub(_ publishers: Int, _ subscribers: Int) -> Stage {
        var stage = scaled("hub", publishers, subscribers)
        stage.brokers = [Broker(name: "broker", partitions: 1)]
        stage.links = [Link(from: "cpu", to: "broker")] + stage.subscribers.map { Link(from: "broker", to: $0.name) }
        return stage
    }

    private static func scaled(_ name: String, _ publishers: Int, _ subscribers: Int) -> Stage {
        Stage(
            name: "\(name)-\(publishers)x\(subscribers)", title: "", story: "",
            publishers: [Publisher(name: "cpu", kind: .cpu, processes: publishers)], brokers: [],
            subscribers: (1...subscribers).map { Subscriber(name: "subscriber-\($0)", processes: 1) }, links: [],
            mirrors: [], load: StageLoad())
    }
}
