/// What a part of a stage does.
public enum StageRole: String, CaseIterable, Hashable, Sendable, Codable {
    case publisher, broker, subscriber
}

/// A stage made into processes: names, files and settings. A pure value; ``StageRun`` starts what it lists.
struct StagePlan: Sendable {
    /// One process to be.
    struct Process: Hashable, Sendable {
        /// Unique in the stage: the part's name, with a number where there are several of them.
        var name: String
        /// The part of the declaration that it belongs to.
        var part: String
        var role: StageRole
        /// The processes that it connects to, by name.
        var dials: [String]
        /// Subscribers: whether publishers connect to it.
        var listensDirectly = false
        var publishing: Publishing?
        /// Subscribers: what it takes from the broker.
        var topics: String?
        /// Brokers: partitions of a topic.
        var partitions = 1
    }

    /// What a publisher makes.
    struct Publishing: Hashable, Sendable {
        var kind: WorkloadKind
        var hosts: Int
        var series: Int
        var intervalMilliseconds: Int
        var topic: String?
        /// As `--burst` has it.
        var burst: String?
        var seed: Int

        var samplesPerSecond: Double { Double(hosts * series) * 1000 / Double(intervalMilliseconds) }
    }

    let stage: Stage
    let load: StageLoad
    private(set) var processes: [Process] = []

    init(_ stage: Stage, load: StageLoad) {
        self.stage = stage.running
        self.load = load
        for broker in self.stage.brokers {
            processes.append(
                Process(
                    name: broker.name, part: broker.name, role: .broker, dials: [], partitions: broker.partitions))
        }
        for subscriber in self.stage.subscribers { processes += Self.processes(of: subscriber, in: self.stage) }
        for publisher in self.stage.publishers { processes += self.processes(of: publisher) }
    }

    /// Has the first publisher make ten times as much for a while.
    mutating func burst(after start: Duration, for length: Duration) {
        guard let index = processes.firstIndex(where: { $0.role == .publisher }) else { return }
        processes[index].publishing?.burst =
            "10@\(Int(start / .milliseconds(1)))ms+\(Int(length / .milliseconds(1)))ms"
    }

    /// The names of a part's processes.
    static func names(of part: String, count: Int) -> [String] {
        count == 1 ? [part] : (1...count).map { "\(part)-\($0)" }
    }

    func processes(_ role: StageRole) -> [Process] { processes.filter { $0.role == role } }

    private static func processes(of subscriber: Stage.Subscriber, in stage: Stage) -> [Process] {
        let links = stage.links.filter { $0.to == subscriber.name }
        let broker = links.first { stage.isBroker($0.from) }
        return names(of: subscriber.name, count: subscriber.processes).map { name in
            Process(
                name: name, part: subscriber.name, role: .subscriber, dials: broker.map { [$0.from] } ?? [],
                listensDirectly: links.contains { stage.isPublisher($0.from) }, topics: broker?.topics)
        }
    }

    private func processes(of publisher: Stage.Publisher) -> [Process] {
        let targets = stage.links.filter { $0.from == publisher.name }.map(\.to)
        let names = Self.names(of: publisher.name, count: publisher.processes)
        return names.indices.map { index in
            Process(
                name: names[index], part: publisher.name, role: .publisher, dials: targets,
                publishing: publishing(publisher, index: index))
        }
    }

    /// A process's share of the work: hosts are shared by the processes of a kind, a host's series by the kinds, so that
    /// every stage publishes the same number of samples however it divides them.
    private func publishing(_ publisher: Stage.Publisher, index: Int) -> Publishing {
        let same = stage.publishers.filter { $0.kind == publisher.kind }
        let before = same.prefix { $0.name != publisher.name }.reduce(0) { $0 + $1.processes } + index
        let hosts = Self.share(of: load.hosts, number: before, among: same.reduce(0) { $0 + $1.processes })
        if publisher.kind.isEvents {
            let perRun = Double(load.events) * Double(load.intervalMilliseconds) / 1000
            return Publishing(
                kind: publisher.kind, hosts: hosts, series: max(1, Int((perRun / Double(load.hosts)).rounded())),
                intervalMilliseconds: load.intervalMilliseconds, seed: seed(publisher, before))
        }
        let kinds = WorkloadKind.allCases.filter { kind in
            !kind.isEvents && stage.publishers.contains { $0.kind == kind }
        }
        let series = Self.share(
            of: load.series, number: kinds.firstIndex(of: publisher.kind) ?? 0, among: kinds.count)
        return Publishing(
            kind: publisher.kind, hosts: hosts, series: series, intervalMilliseconds: load.intervalMilliseconds,
            seed: seed(publisher, before))
    }

    private func seed(_ publisher: Stage.Publisher, _ number: Int) -> Int {
        (WorkloadKind.allCases.firstIndex(of: publisher.kind) ?? 0) * 1000 + number + 1
    }

    /// The `number`th of `count` parts of `total`, as even as possible and never nothing.
    static func share(of total: Int, number: Int, among count: Int) -> Int {
        max(1, total / count + (number < total % count ? 1 : 0))
    }
}
