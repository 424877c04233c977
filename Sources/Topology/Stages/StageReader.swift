internal import Yams

/// Turns the nodes of a declaration into a ``Stage``, and gathers what is wrong instead of stopping at the first.
struct StageReader {
    private(set) var problems: [StageError.Problem] = []
    private var lines: [String: Int] = [:]
    private var stage = Stage(
        name: "", title: "", story: "", publishers: [], brokers: [], subscribers: [], links: [], mirrors: [],
        load: StageLoad())

    private static let keys = [
        "stage", "title", "story", "publishers", "brokers", "subscribers", "links", "mirrors", "workload",
    ]

    /// The stage; to be used only where there are no problems.
    mutating func read(_ root: Node) -> Stage? {
        do {
            let node = try StageNode(root, keys: Self.keys, of: "a stage")
            stage.name = try node.name("stage")
            stage.title = try node.text("title") ?? stage.name
            stage.story = try node.text("story") ?? ""
            try readParts(of: node)
        } catch {
            report(error)
            return nil
        }
        return stage
    }

    private mutating func readParts(of node: StageNode) throws(StageNodeError) {
        readList(node, "publishers") { reader, element throws(StageNodeError) in try reader.readPublisher(element) }
        readList(node, "brokers") { reader, element throws(StageNodeError) in try reader.readBroker(element) }
        readList(node, "subscribers") { reader, element throws(StageNodeError) in try reader.readSubscriber(element) }
        for (name, line) in lines where ["publishers", "brokers", "subscribers"].contains(name) {
            report(line, "'\(name)' stands for all of them in links; give this one another name")
        }
        readList(node, "links") { reader, element throws(StageNodeError) in
            reader.stage.links += try reader.readLinks(element, mirror: false)
        }
        readList(node, "mirrors") { reader, element throws(StageNodeError) in
            reader.stage.mirrors += try reader.readLinks(element, mirror: true)
        }
        if let workload = node["workload"] {
            do { try readLoad(workload) } catch { report(error) }
        }
        if problems.isEmpty { checkWhole(node) }
    }

    private mutating func readList(
        _ node: StageNode, _ key: String, _ read: (inout StageReader, Node) throws(StageNodeError) -> Void
    ) {
        guard let value = node[key] else { return }
        guard let list = value.sequence else {
            return report(node.line(of: key), "'\(key)' should be a list: lines that begin with '- '")
        }
        for element in list {
            do throws(StageNodeError) { try read(&self, element) } catch { report(error) }
        }
    }

    private mutating func report(_ error: StageNodeError) {
        problems.append(StageError.Problem(line: error.line, message: error.message))
    }

    private mutating func report(_ line: Int?, _ message: String) {
        problems.append(StageError.Problem(line: line, message: message))
    }

    // MARK: Parts

    private mutating func readPublisher(_ element: Node) throws(StageNodeError) {
        let node = try StageNode(element, keys: ["name", "kind", "processes"], of: "a publisher")
        let name = try node.name("name")
        let kinds = WorkloadKind.allCases.map(\.rawValue).joined(separator: ", ")
        let text = try node.text("kind") ?? name
        guard let kind = WorkloadKind(rawValue: text) else {
            throw node.wrong("kind", "there is no kind '\(text)'; known are \(kinds)")
        }
        remember(name, node)
        stage.publishers.append(
            Stage.Publisher(name: name, kind: kind, processes: try node.number("processes", in: 1...64, default: 1)))
    }

    private mutating func readBroker(_ element: Node) throws(StageNodeError) {
        let node = try StageNode(element, keys: ["name", "partitions"], of: "a broker")
        let name = try node.name("name")
        remember(name, node)
        stage.brokers.append(
            Stage.Broker(name: name, partitions: try node.number("partitions", in: 1...64, default: 1)))
    }

    private mutating func readSubscriber(_ element: Node) throws(StageNodeError) {
        let node = try StageNode(element, keys: ["name", "processes"], of: "a subscriber")
        let name = try node.name("name")
        remember(name, node)
        stage.subscribers.append(
            Stage.Subscriber(name: name, processes: try node.number("processes", in: 1...16, default: 1)))
    }

    private mutating func remember(_ name: String, _ node: StageNode) {
        if let first = lines.updateValue(node.line, forKey: name) {
            report(node.line, "two parts are called '\(name)' (the other one in line \(first)); names tell them apart")
        }
    }

    private mutating func readLoad(_ element: Node) throws(StageNodeError) {
        let node = try StageNode(element, keys: ["hosts", "series", "interval", "events"], of: "a workload")
        stage.load.hosts = try node.number("hosts", in: 1...100_000, default: stage.load.hosts)
        stage.load.series = try node.number("series", in: 1...100_000, default: stage.load.series)
        stage.load.events = try node.number("events", in: 1...1_000_000, default: stage.load.events)
        stage.load.intervalMilliseconds = try node.milliseconds(
            "interval", default: stage.load.intervalMilliseconds)
    }

    // MARK: Links

    private mutating func readLinks(_ element: Node, mirror: Bool) throws(StageNodeError) -> [Stage.Link] {
        let what = mirror ? "a mirror" : "a link"
        let node = try StageNode(element, keys: ["from", "to", "topics"], of: what)
        let from = try names(node, "from")
        let to = try names(node, "to")
        let topics = try node.text("topics")
        var links: [Stage.Link] = []
        for from in from {
            for to in to {
                try check(from, to, node, mirror: mirror)
                if topics != nil, !stage.isBroker(from) {
                    throw node.wrong("topics", "'\(from)' has no topics; only a link from a broker selects some")
                }
                let link = Stage.Link(from: from, to: to, topics: topics ?? Stage.Link.metricTopics)
                if (stage.links + links).contains(where: { $0.from == from && $0.to == to }) {
                    throw node.wrong("from", "'\(from)' and '\(to)' are linked already")
                }
                links.append(link)
            }
        }
        return links
    }

    /// The parts that a link's end names: one, a list, or all of a role.
    private func names(_ node: StageNode, _ key: String) throws(StageNodeError) -> [String] {
        var names: [String] = []
        for text in try node.texts(key, required: "such as \(key): publishers") {
            switch text {
            case "publishers": names += stage.publishers.map(\.name)
            case "brokers": names += stage.brokers.map(\.name)
            case "subscribers": names += stage.subscribers.map(\.name)
            default:
                guard lines[text] != nil else {
                    let known = lines.keys.sorted().joined(separator: ", ")
                    throw node.wrong(
                        key, "there is no '\(text)'; known are \(known), and publishers, brokers or subscribers for all"
                    )
                }
                names.append(text)
            }
        }
        return names
    }

    private func check(
        _ from: String, _ to: String, _ node: StageNode, mirror: Bool
    ) throws(StageNodeError) {
        if mirror {
            guard stage.isBroker(from), stage.isBroker(to), from != to else {
                throw node.wrong("from", "a mirror goes from one broker to another, not from '\(from)' to '\(to)'")
            }
            return
        }
        if stage.isSubscriber(from) { throw node.wrong("from", "'\(from)' is a subscriber; it hands nothing on") }
        if stage.isPublisher(to) { throw node.wrong("to", "'\(to)' is a publisher; it takes nothing") }
        if stage.isBroker(from), stage.isBroker(to) {
            throw node.wrong("to", "brokers are connected by 'mirrors', not by links")
        }
    }

    // MARK: The whole

    private mutating func checkWhole(_ node: StageNode) {
        if stage.publishers.isEmpty { report(node.line, "'publishers' is missing: somebody has to publish") }
        if stage.subscribers.isEmpty { report(node.line, "'subscribers' is missing: somebody has to subscribe") }
        checkProcessNames()
        for publisher in stage.publishers {
            let targets = stage.links.filter { $0.from == publisher.name }.map(\.to)
            let brokers = targets.filter(stage.isBroker)
            let line = lines[publisher.name]
            if targets.isEmpty { report(line, "'\(publisher.name)' is not linked to anything") }
            if brokers.count > 1 {
                report(line, "'\(publisher.name)' is linked to \(brokers.joined(separator: " and ")); one is possible")
            } else if brokers.count == 1, targets.count > 1 {
                report(line, "'\(publisher.name)' publishes either to a broker or directly, not both")
            }
        }
        let mirrored = Set(stage.mirrors.map(\.to))
        for subscriber in stage.subscribers {
            let sources = stage.links.filter { $0.to == subscriber.name }.map(\.from)
            let line = lines[subscriber.name]
            if sources.isEmpty { report(line, "'\(subscriber.name)' is not linked to anything") }
            if sources.filter(stage.isBroker).count > 1 {
                report(line, "'\(subscriber.name)' reads from several brokers; one is possible")
            }
            if subscriber.processes > 1, !sources.allSatisfy(stage.isBroker) {
                report(line, "'\(subscriber.name)' has a direct link, which ends in one process: leave 'processes' out")
            }
        }
        for broker in stage.brokers where !mirrored.contains(broker.name) {
            if !stage.links.contains(where: { $0.to == broker.name }) {
                report(lines[broker.name], "nobody publishes to '\(broker.name)'")
            }
        }
    }

    /// Files and series are named after processes.
    private mutating func checkProcessNames() {
        var names: Set<String> = Set(stage.brokers.map(\.name))
        let parts = stage.publishers.map { ($0.name, $0.processes) } + stage.subscribers.map { ($0.name, $0.processes) }
        for (part, count) in parts {
            for name in StagePlan.names(of: part, count: count) where !names.insert(name).inserted {
                report(lines[part], "'\(name)' would be the name of two processes; give '\(part)' another one")
            }
        }
    }
}
