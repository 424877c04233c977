internal import Glibc
internal import MetricModel
internal import SeriesStore

// What is done to a stage while it runs: faults and additions.

extension StageRun {
    // MARK: Faults

    /// The process that a fault is aimed at: the first of its role that there is.
    func target(of fault: Fault) -> String? {
        switch fault {
        case .burst: names(.publisher).first
        case .slowSubscriber, .subscriberKilled: names(.subscriber).first
        case .brokerKilled: names(.broker).first
        case .networkCut: nil
        }
    }

    /// The subscribers, by part, that a fault is expected to reach: of the others it is asked whether they suffered.
    func parts(affectedBy fault: Fault, _ target: String?) -> Set<String> {
        switch fault {
        case .burst, .networkCut: Set(names(.subscriber).compactMap { processes[$0]?.plan.part })
        case .slowSubscriber, .subscriberKilled: Set(target.flatMap { processes[$0]?.plan.part }.map { [$0] } ?? [])
        case .brokerKilled:
            Set(
                names(.subscriber).compactMap { processes[$0]?.plan }.filter { $0.dials.contains(target ?? "") }
                    .map(\.part))
        }
    }

    func cutNetwork() async {
        for proxy in proxies.values { await proxy.cut() }
    }

    func restoreNetwork() async throws {
        for proxy in proxies.values { try await proxy.restore() }
    }

    /// `SIGSTOP`, or `SIGCONT`.
    func setStopped(_ name: String, _ isStopped: Bool) {
        processes[name]?.child?.signal(isStopped ? SIGSTOP : SIGCONT)
    }

    /// Samples a second that are published for a subscriber.
    func ratePerSecond(of name: String) -> Double {
        guard let part = processes[name]?.plan.part else { return 0 }
        return expectations.filter { $0.subscriber == part }.reduce(0) {
            $0 + (processes[$1.publisher]?.plan.publishing?.samplesPerSecond ?? 0)
        }
    }

    // MARK: Another load, another mode

    /// Has publishers collect as often as this load says: they are restarted, and play the same series.
    func change(load: StageLoad) async throws {
        let planned = StagePlan(plan.stage, load: load).processes(.publisher)
        await end(planned.map(\.name))
        for process in planned {
            guard var publisher = processes[process.name]?.plan else { continue }
            publisher.publishing = process.publishing
            replan(publisher)
            try launch(process.name)
        }
    }

    /// Restarts the subscribers in another mode; nil for theirs.
    func change(mode: String?) async throws {
        set(mode: mode)
        let subscribers = names(.subscriber)
        await end(subscribers)
        for name in subscribers { try launch(name) }
    }

    // MARK: Additions

    /// What was added, and what it took.
    struct Newcomer: Sendable {
        /// Processes that were edited and restarted.
        var touched: [String] = []
        var connections = 0
        /// Which series show that data flows: those of this publisher, in the databases of these parts.
        var publisher: String?
        var parts: [String]
    }

    /// One more publisher, of the kind of the first one.
    func addPublisher() async throws -> Newcomer { try await addPublisher(named: "added-publisher", topic: nil) }

    /// A kind of metrics that nobody has published so far.
    func addKind() async throws -> Newcomer {
        try await addPublisher(named: "added-kind", topic: "metrics.payments")
    }

    private func addPublisher(named name: String, topic: String?) async throws -> Newcomer {
        guard let first = names(.publisher).first, var process = processes[first]?.plan else {
            return Newcomer(parts: [])
        }
        process.name = name
        process.part = name
        process.publishing?.burst = nil
        process.publishing?.seed += 500
        if let topic {
            process.publishing?.kind = .application
            process.publishing?.topic = topic
        }
        try add(process)
        // A subscriber of other topics waits for nothing.
        let made = process.publishing.map { $0.topic ?? $0.kind.topic }
        let meant = try expectations.filter { expectation in
            try expectation.publisher == name && expectation.isMeant(topic: made ?? "")
        }
        return Newcomer(connections: process.dials.count, publisher: name, parts: meant.map(\.subscriber))
    }

    /// One more subscriber, for the same as the first one. Through a broker it joins a group of its own; directly, every
    /// publisher is told of it, which means to edit its settings and to restart it.
    func addSubscriber() async throws -> Newcomer {
        guard let first = names(.subscriber).first, var process = processes[first]?.plan else {
            return Newcomer(parts: [])
        }
        let part = process.part
        process.name = "added-subscriber"
        process.part = process.name
        let publishers = names(.publisher).filter { processes[$0]?.plan.dials.contains(part) == true }
        if options.usesProxies, process.listensDirectly { try await addProxy(process.name) }
        try add(process)
        try await awaitReady(process.name)
        for name in publishers {
            guard var publisher = processes[name]?.plan else { continue }
            publisher.dials.append(process.name)
            publisher.publishing?.burst = nil
            await end(name)
            replan(publisher)
            let since = Timestamp.now().milliseconds
            try launch(name)
            expect(publisher, to: process.name, topics: nil, since: since)
        }
        return Newcomer(
            touched: publishers, connections: process.dials.count + publishers.count, publisher: nil,
            parts: [process.name])
    }

    /// Whether a newcomer's data is in every database that it was meant for.
    func hasArrived(_ newcomer: Newcomer) throws -> Bool {
        try newcomer.parts.allSatisfy { part in
            // There is no database before its subscriber has got that far.
            guard let reader = try? SeriesReader(path: files.database(part)) else { return false }
            defer { try? reader.close() }
            guard let publisher = newcomer.publisher else { return try reader.seriesCount() > 0 }
            return try !reader.series(matching: [try LabelMatcher("instance", .matches, "\(publisher)-.*")]).isEmpty
        }
    }

    /// Samples that were never collected, because their publisher was not running at their time: by the gaps in its
    /// ledger since `from`, in milliseconds, at the interval that it keeps.
    func notCollected(by name: String, since from: Int64) throws -> Int {
        guard let publishing = processes[name]?.plan.publishing else { return 0 }
        let ledger = try PublishedLedger(path: files.ledger(name))
        var last: [Int: Int64] = [:]
        var missed = 0
        for record in ledger.records {
            if let before = last[record.instance], record.time >= from {
                let runs = Double(record.time - before) / Double(publishing.intervalMilliseconds)
                missed += max(0, Int(runs.rounded()) - 1) * record.samples
            }
            last[record.instance] = record.time
        }
        return missed
    }
}
