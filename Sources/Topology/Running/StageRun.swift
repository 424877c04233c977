internal import FoundationEssentials
internal import Glibc
internal import MetricModel
internal import Synchronization

/// One run of a stage: starts its processes, changes and disturbs them, stops them, and knows what every subscriber is to
/// have received. All files lie in one directory; all processes end with this one.
actor StageRun {
    /// How a stage is run.
    struct Options: Sendable {
        /// Puts a ``FaultProxy`` before everything that listens.
        var usesProxies = false
        /// A cluster of the user's in place of the declared brokers; its topics may hold what others published.
        var bootstrap: [String] = []
        /// The program to start; this one.
        var program = "/proc/self/exe"
    }

    /// How long a process may take until it listens, and until it has ended in order.
    static let patience = Duration.seconds(30)

    let plan: StagePlan
    let files: StageFiles
    let options: Options
    private let lifeline: Lifeline
    /// What was to be collected before is not this run's.
    let beginning = Timestamp.now()
    private(set) var proxies: [String: FaultProxy] = [:]
    private(set) var processes: [String: StageProcess] = [:]
    /// In the order in which they were added.
    private(set) var order: [String] = []
    private(set) var expectations: [Expectation] = []
    var reports = ReportCache()

    /// The subscribers' processing mode; nil for theirs.
    private(set) var mode: String?

    init(_ plan: StagePlan, directory: String, options: Options, lifeline: Lifeline) throws {
        self.plan = plan
        self.options = options
        self.lifeline = lifeline
        files = try StageFiles(directory: directory)
    }

    // MARK: Starting and stopping

    /// Starts everything: brokers, then subscribers, then publishers.
    func start() async throws {
        if options.usesProxies {
            for process in plan.processes where process.role == .broker || process.listensDirectly {
                try await addProxy(process.name)
            }
        }
        for role in [StageRole.broker, .subscriber, .publisher] {
            for process in plan.processes(role) where !isExternal(process) { try add(process) }
            for process in plan.processes(role) where !isExternal(process) { try await awaitReady(process.name) }
        }
    }

    func addProxy(_ name: String) async throws { proxies[name] = try await FaultProxy.start() }

    private func isExternal(_ process: StagePlan.Process) -> Bool {
        process.role == .broker && !options.bootstrap.isEmpty
    }

    /// Adds a process to the stage and starts it.
    func add(_ process: StagePlan.Process) throws {
        if processes[process.name] == nil { order.append(process.name) }
        processes[process.name] = StageProcess(plan: process, settings: ProcessSettings(""))
        try launch(process.name)
        if process.role == .publisher { expect(from: process) }
        if process.role == .subscriber { expectFromBroker(process) }
    }

    /// Starts a process that is not running.
    func launch(_ name: String) throws {
        guard var process = processes[name], process.child == nil else { return }
        process.starts += 1
        process.settings = try settings(of: process.plan, start: process.starts)
        process.child = try ChildProcess(
            options.program, process.settings.arguments, name: "\(name).\(process.starts)",
            directory: files.directory, lifeline: lifeline)
        processes[name] = process
    }

    /// Waits until a process that listens does, and lets its proxy hand on to it.
    func awaitReady(_ name: String) async throws {
        guard let process = processes[name], process.plan.role == .broker || process.plan.listensDirectly else {
            return
        }
        let path = files.errors("\(name).\(process.starts)")
        var port: Int?
        let isReady = try await Waiting.until(within: Self.patience) {
            port = ListeningLine.port(inFile: path)
            if let ending = process.child?.poll()?.ending {
                throw ProcessError.ended(
                    name: name, ending.description, lastWords: process.child?.lastWords ?? "nothing")
            }
            return port != nil
        }
        guard isReady, let port else {
            throw ProcessError.notReady(name: name, what: "listen", lastWords: process.child?.lastWords ?? "nothing")
        }
        processes[name]?.port = port
        if let proxy = proxies[name] {
            try proxy.forward(toPort: port)
            try await proxy.restore()
        }
    }

    /// Where others reach a process: its proxy, if it has one.
    func port(of name: String) -> Int? { proxies[name]?.port ?? processes[name]?.port }

    /// `SIGKILL`.
    func kill(_ name: String) async {
        guard let child = processes[name]?.child else { return }
        let usage = child.kill()
        processes[name]?.remember(usage)
        // With the process its port is gone, also where a proxy stands before it.
        await proxies[name]?.cut()
    }

    /// `SIGTERM`, and its end.
    func end(_ name: String) async {
        guard let child = processes[name]?.child else { return }
        let usage = await child.end(within: Self.patience)
        processes[name]?.remember(usage)
    }

    /// The same for several at a time.
    func end(_ names: [String]) async {
        let children = names.compactMap { name in processes[name]?.child.map { (name, $0) } }
        await withTaskGroup(of: (String, ChildProcess.Usage).self) { group in
            for (name, child) in children {
                group.addTask { (name, await child.end(within: Self.patience)) }
            }
            for await (name, usage) in group { processes[name]?.remember(usage) }
        }
    }

    func names(_ role: StageRole) -> [String] { order.filter { processes[$0]?.plan.role == role } }

    /// Ends the publishers in order, and has them hand over what they still hold.
    func stopPublishers() async throws {
        let publishers = names(.publisher)
        await end(publishers)
        // What a spool still holds is sent by another start that collects nothing more.
        for name in publishers where !isDirect(name) { try launchDrain(name) }
        for name in publishers {
            guard let child = processes[name]?.child else { continue }
            let hasEnded = try await Waiting.until(within: Self.patience) { child.poll() != nil }
            if hasEnded, let usage = child.poll() { processes[name]?.remember(usage) } else { await end(name) }
        }
    }

    private func launchDrain(_ name: String) throws {
        guard var process = processes[name], report(of: process)?.publisher?.waitingRecords ?? 0 > 0 else { return }
        process.starts += 1
        var settings = try settings(of: process.plan, start: process.starts)
        settings.set("for", "0s", as: .measurement)
        process.child = try ChildProcess(
            options.program, settings.arguments, name: "\(name).\(process.starts)", directory: files.directory,
            lifeline: lifeline)
        processes[name] = process
    }

    private func isDirect(_ name: String) -> Bool {
        processes[name]?.plan.dials.contains(where: plan.stage.isBroker) == false
    }

    /// Ends everything that is left, subscribers before brokers.
    func stop() async {
        for role in [StageRole.publisher, .subscriber, .broker] { await end(names(role)) }
        for proxy in proxies.values { await proxy.cut() }
    }

    /// Does something with the run; its processes have ended afterwards, also when that throws.
    nonisolated func stopping<Outcome: Sendable>(
        after work: @Sendable () async throws -> Outcome
    ) async throws -> Outcome {
        do {
            let outcome = try await work()
            await stop()
            return outcome
        } catch {
            await stop()
            throw error
        }
    }

    /// - Throws: ``ProcessError`` naming a process that has ended without being asked to.
    func checkAllRun() throws {
        for name in order {
            guard let child = processes[name]?.child, let usage = child.poll() else { continue }
            throw ProcessError.ended(name: name, usage.ending.description, lastWords: child.lastWords)
        }
    }

    /// What to say when no data arrives: the subscriber that has none, and its last words.
    func explainSilence() -> ProcessError {
        let silent = snapshot().processes(.subscriber).first { $0.storedSamples == 0 }?.name ?? ""
        return ProcessError.notReady(
            name: silent, what: "store anything", lastWords: processes[silent]?.child?.lastWords ?? "nothing")
    }

    /// The mode that subscribers are started in from now on.
    func set(mode: String?) { self.mode = mode }

    /// Changes what a publisher does from its next start on.
    func replan(_ process: StagePlan.Process) { processes[process.name]?.plan = process }

    // MARK: What is expected

    /// What a subscriber is to have of one publisher's ledger.
    struct Expectation: Hashable, Sendable {
        var ledger: String
        var publisher: String
        /// The part, whose processes have one database.
        var subscriber: String
        /// The pattern of topics, through a broker; nil for a direct link.
        var topics: String?
        /// Records before this were not meant for it, in milliseconds since 1970.
        var since: Int64

        /// Whether the subscriber takes this topic.
        ///
        /// - Throws: ``ProcessError`` if the pattern is none.
        func isMeant(topic: String) throws(ProcessError) -> Bool {
            guard let topics else { return true }
            guard let regex = try? Regex(topics) else { throw .topicPattern(topics) }
            return topic.wholeMatch(of: regex) != nil
        }
    }

    func expect(_ publisher: StagePlan.Process, to subscriber: String, topics: String?, since: Int64 = 0) {
        let expectation = Expectation(
            ledger: files.ledger(publisher.name), publisher: publisher.name, subscriber: subscriber, topics: topics,
            since: since)
        let isKnown = expectations.contains {
            $0.publisher == expectation.publisher && $0.subscriber == expectation.subscriber
        }
        if !isKnown { expectations.append(expectation) }
    }

    private func expect(from publisher: StagePlan.Process) {
        for target in publisher.dials {
            if plan.stage.isBroker(target) {
                for subscriber in processes.values where subscriber.plan.dials.contains(target) {
                    guard subscriber.plan.role == .subscriber else { continue }
                    expect(publisher, to: subscriber.plan.part, topics: subscriber.plan.topics)
                }
            } else {
                expect(publisher, to: target, topics: nil)
            }
        }
    }

    private func expectFromBroker(_ subscriber: StagePlan.Process) {
        for publisher in processes.values where publisher.plan.role == .publisher {
            guard !Set(publisher.plan.dials).isDisjoint(with: subscriber.dials) else { continue }
            expect(publisher.plan, to: subscriber.part, topics: subscriber.topics)
        }
    }
}
