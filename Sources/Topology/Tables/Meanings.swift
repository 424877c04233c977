/// What the tables mean, in a sentence or two each, said of the figures that there are.
enum Meanings {
    private static func direct(_ comparison: Comparison) -> [StageResult] { comparison.stages.filter(\.isDirect) }
    private static func brokered(_ comparison: Comparison) -> [StageResult] {
        comparison.stages.filter { !$0.isDirect }
    }

    /// The widest stage of each way.
    private static func pair(_ comparison: Comparison) -> (mesh: StageResult, hub: StageResult)? {
        guard let mesh = direct(comparison).max(by: { $0.shape.connections < $1.shape.connections }),
            let hub = brokered(comparison).first(where: {
                $0.shape.publishers == mesh.shape.publishers && $0.shape.subscribers == mesh.shape.subscribers
            })
        else { return nil }
        return (mesh, hub)
    }

    static func size(_ comparison: Comparison) -> String {
        guard let (mesh, hub) = pair(comparison) else {
            return "Connections are links between two processes: N × M directly, N + M around a broker."
        }
        return """
            The same \(mesh.shape.publishers) publishers and \(mesh.shape.subscribers) subscribers need \
            \(mesh.shape.connections) connections directly and \(hub.shape.connections) around a broker, which is one more \
            process to run. Lines of settings that name another process, to be edited when it moves: \(mesh.addressLines) \
            against \(hub.addressLines).
            """
    }

    static func growth(_ comparison: Comparison) -> String {
        let touched = { (stage: StageResult) in
            stage.additions.first { $0.addition == .subscriber }.map { $0.touched }
        }
        guard let (mesh, hub) = pair(comparison), let many = touched(mesh), let few = touched(hub) else {
            return "Touched are the processes that had to be edited and restarted beside the new one."
        }
        let missed = mesh.additions.first { $0.addition == .subscriber }.map { $0.notCollected + $0.lost } ?? 0
        return """
            One more subscriber means to edit and restart \(FigureText.count(many)) processes in \(mesh.name), and \(few) in \
            \(hub.name), where the newcomer also gets what was published before it came. Missed are samples that nobody \
            collected or that did not arrive while publishers were being restarted: \(FigureText.count(missed)) in \
            \(mesh.name). One more publisher is no trouble either way; a new kind of metric reaches a subscriber of a \
            broker when it next looks for topics.
            """
    }

    static func freshness(_ comparison: Comparison) -> String {
        guard let (mesh, hub) = pair(comparison), let short = mesh.steady?.latency, let long = hub.steady?.latency
        else {
            return "From the moment a sample was to be collected until it is committed in a database."
        }
        let difference = long.p50 - short.p50
        let verdict =
            difference > 0
            ? "The way through a broker costs \(FigureText.number(difference)) ms at the median: a direct link is the shorter way."
            : "At the median the broker costs nothing that shows beside the subscribers' own commits."
        return """
            From the moment a sample was to be collected, so a publisher that falls behind does not look fast, until a \
            subscriber has read it (arrived; what acts on arrival acts then) and until it can be queried (committed). \
            \(verdict) Most of it is the time between two commits of a subscriber. Fresh after is how long the start took, \
            with every series new in every database; no other figure has anything of it.
            """
    }

    static func cost(_ comparison: Comparison) -> String {
        guard let (mesh, hub) = pair(comparison), let one = mesh.steady, let other = hub.steady else {
            return "CPU seconds of all processes of a role, for a million samples committed by any subscriber."
        }
        let ratio = other.cpuSecondsPerMillion / max(one.cpuSecondsPerMillion, 0.000_001)
        return """
            For a million samples committed by any subscriber \(mesh.name) takes \
            \(FigureText.number(one.cpuSecondsPerMillion)) CPU seconds and \(hub.name) \
            \(FigureText.number(other.cpuSecondsPerMillion)) (\(FigureText.number(ratio)) times as much); the broker's part of \
            that is \(FigureText.number(other.share(of: .broker) * 100)) %. A direct publisher sends a sample once for every \
            subscriber, through a broker once in all; bytes count what each process sent.
            """
    }

    static func limit(_ comparison: Comparison) -> String {
        guard
            let best = comparison.stages.max(by: { $0.peak?.deliveredPerSecond ?? 0 < $1.peak?.deliveredPerSecond ?? 0 }
            ),
            let peak = best.peak
        else { return "" }
        let late = comparison.stages.filter { $0.peak != nil && $0.peak?.secondsUntilFresh == nil }.map(\.name)
        let pace =
            late.isEmpty
            ? "All of them kept up, with no sample older than a second."
            : "Not kept up, with samples older than a second, have \(late.joined(separator: ", "))."
        let losing = comparison.stages.filter { $0.peak?.lost ?? 0 > 0 }.map(\.name)
        let losses =
            losing.isEmpty
            ? "No stage lost anything at this rate."
            : "What a stage cannot deliver in time a broker keeps for later; lost was something in \(losing.joined(separator: ", "))."
        return """
            Offered \(FigureText.count(comparison.peakSamplesPerSecond)) metric samples a second, \(best.name) delivered the \
            most: \(FigureText.number(peak.deliveredPerSecond)) a second over all its subscribers. \(pace) \(losses)
            """
    }

    static func fault(_ fault: Fault, _ comparison: Comparison) -> String {
        let lossOf = { (stages: [StageResult]) in
            stages.compactMap { stage in stage.faults.first { $0.fault == fault } }.reduce(0) { $0 + $1.lost }
        }
        let directLoss = lossOf(direct(comparison))
        let brokerLoss = lossOf(brokered(comparison))
        let sum =
            fault == .brokerKilled
            ? ""
            : "Lost directly: \(FigureText.count(directLoss)) samples; through brokers: \(FigureText.count(brokerLoss)). "
        switch fault {
        case .burst:
            return sum + "A queue, a spool and a log all take a burst; what matters is how soon data is fresh again."
        case .slowSubscriber:
            return sum
                + "Directly, what it does not take fills its sockets and then each publisher's queue; a broker keeps it on disk. Whether others suffered is in their maximum."
        case .subscriberKilled:
            return sum
                + "Directly, what was on its way when it died is gone, and what its publishers' queues cannot hold follows; behind a broker it reads on from where its database stopped."
        case .brokerKilled:
            return
                "Stages with one broker stop as a whole, and go on where they stopped: publishers keep samples in their spools. With a broker for each team that is one team only. Lost: \(FigureText.count(brokerLoss))."
        case .networkCut:
            return sum
                + "A link without acknowledgements does not know what arrived of what it sent last; a publisher with a spool sends that again, and the subscriber recognises what it has."
        }
    }

    static func accounts(_ comparison: Comparison) -> String {
        let wrong = comparison.stages.reduce(0) { $0 + $1.recount.unexpected + $1.recount.countedWrong }
        let brokerLoss = brokered(comparison).reduce(0) { $0 + $1.recount.lost }
        return """
            Every record was written to a ledger before it was published; every database was read back, sample by sample. \
            Through brokers \(brokerLoss == 0 ? "nothing was lost" : "\(FigureText.count(brokerLoss)) samples were lost"), \
            \(wrong == 0 ? "and nowhere was anything counted twice" : "and \(FigureText.count(wrong)) samples are not explained").
            """
    }

    static func modes(_ comparison: Comparison) -> String {
        guard let freshest = comparison.modes.min(by: { $0.steady.latency.p99 < $1.steady.latency.p99 }),
            let cheapest = comparison.modes.min(by: {
                $0.steady.cpuSecondsPerMillion < $1.steady.cpuSecondsPerMillion
            })
        else { return "" }
        let realtime =
            comparison.modes.first { $0.mode == "realtime" }.map {
                " realtime acts when a sample arrives, here within \(FigureText.number($0.steady.arrival.p99)) ms (p99), "
                    + "and commits as batch does."
            } ?? ""
        return """
            A mode says when a subscriber commits, and what it does beside. \(freshest.mode) had samples in the database \
            soonest (p99 \(FigureText.number(freshest.steady.latency.p99)) ms), \(cheapest.mode) was the cheapest \
            (\(FigureText.number(cheapest.steady.cpuSecondsPerMillion)) CPU seconds for a million samples).\(realtime)
            """
    }

    static func scale(_ comparison: Comparison) -> String {
        let sizes = Set(comparison.scale.map(\.publishers)).sorted()
        let crossing = sizes.first { size in
            let points = comparison.scale.filter { $0.publishers == size }
            guard let mesh = points.first(where: \.isDirect), let hub = points.first(where: { !$0.isDirect }) else {
                return false
            }
            return hub.cpuSecondsPerMillion < mesh.cpuSecondsPerMillion
        }
        let cpu =
            crossing.map { "In CPU a broker is the cheaper way from \($0) × \($0) on." }
            ?? "In CPU the direct links stayed cheaper at every size that was tried."
        return "Links are as many at 2 × 2; from 3 × 3 on a broker needs fewer. \(cpu)"
    }
}
