internal import Subscriber
internal import MetricModel
internal import SeriesStore

/// One run of a stage in which it is added to and disturbed, one thing after another, each with its own result.
///
/// What was lost is counted at the end, from ledgers and databases, and attributed to what was going on when the samples
/// were to be collected.
struct StageDisturbance: Sendable {
    let run: StageRun
    let pace: ComparisonPace
    let faults: [Fault]
    /// Told what is being done, and which part of the whole has been done since the last time.
    let progress: @Sendable (String, Double) async -> Void

    /// Subscribers that have nothing but fresh samples for so long have recovered.
    private static let freshSpan = Duration.milliseconds(500)

    struct Outcome: Sendable {
        var additions: [AdditionResult] = []
        var faults: [FaultResult] = []
        var recounts: [Recount] = []
    }

    /// A result whose losses are not counted yet.
    private struct Pending<Result: Sendable>: Sendable {
        var result: Result
        /// In milliseconds since 1970.
        var start: Int64
        /// When what was done was over, though not yet what came of it.
        var end: Int64
        /// The subscribers that it was aimed at, by part.
        var aimedAt: Set<String>
    }

    /// Runs it all; the processes have ended afterwards, also when it throws.
    func perform() async throws -> Outcome {
        try await run.stopping { try await work() }
    }

    /// Starting, additions, faults and counting: each a step.
    private var part: Double { 1 / Double(AdditionResult.Addition.allCases.count + faults.count + 1) }

    private func work() async throws -> Outcome {
        await progress("starting", 0)
        let start = ContinuousClock.now
        try await run.start()
        var disturbed: [Pending<FaultResult>] = []
        var added: [Pending<AdditionResult>] = []
        _ = try await run.awaitFresh(for: run.plan.load.interval, within: pace.patience)
        // The burst begins by the publisher's own clock.
        if faults.contains(.burst) { try await Task.sleep(until: start + pace.warmUp, clock: .continuous) }
        if faults.contains(.burst) { disturbed.append(try await disturb(.burst)) }
        for addition in AdditionResult.Addition.allCases {
            await progress("adding a \(addition.rawValue)", part)
            added.append(try await add(addition))
            try await Task.sleep(for: pace.calm)
        }
        for fault in faults where fault != .burst {
            disturbed.append(try await disturb(fault))
            try await Task.sleep(for: pace.calm)
        }
        await progress("counting", part)
        try await run.stopPublishers()
        try await run.awaitDrained(within: pace.patience)
        await run.stop()
        let recounts = try await run.recount()
        let times = LossTimes((disturbed.map { ($0.start, $0.end) } + added.map { ($0.start, $0.end) }))
        return Outcome(
            additions: added.map { pending in
                var result = pending.result
                let (from, to) = times.range(ofStart: pending.start)
                result.lost = recounts.reduce(0) { $0 + $1.lost(from: from, to: to) }
                return result
            },
            faults: disturbed.map { pending in
                var result = pending.result
                let (from, to) = times.range(ofStart: pending.start)
                for recount in recounts {
                    let lost = recount.lost(from: from, to: to)
                    result.lost += lost
                    if !pending.aimedAt.contains(recount.subscriber) { result.othersLost += lost }
                }
                return result
            }, recounts: recounts)
    }

    // MARK: Faults

    private func disturb(_ fault: Fault) async throws -> Pending<FaultResult> {
        await progress(fault.words, part)
        let from = Timestamp.now().milliseconds
        let start = await run.snapshot()
        let target = await run.target(of: fault)
        let duration = fault == .burst ? pace.burst : pace.fault
        let watch = WaitingWatch(run: run)
        let peakWaiting = Task { await watch.peak() }
        defer { peakWaiting.cancel() }
        switch fault {
        case .burst: try await Task.sleep(for: duration)
        case .slowSubscriber:
            if let target { try await slowDown(target, for: duration) }
        case .subscriberKilled:
            if let target { try await killAndRestart(target, after: duration) }
        case .brokerKilled:
            if let target { try await killAndRestart(target, after: .milliseconds(500)) }
        case .networkCut:
            await run.cutNetwork()
            try await Task.sleep(for: duration)
            try await run.restoreNetwork()
        }
        let end = ContinuousClock.now
        let endTime = Timestamp.now().milliseconds
        let recovery = try await run.awaitFresh(for: Self.freshSpan, within: pace.patience)
        peakWaiting.cancel()
        let now = await run.snapshot()
        let aimedAt = await run.parts(affectedBy: fault, target)
        var delayed = 0
        var others = LatencyHistogram()
        for process in now.processes(.subscriber) {
            let latency = process.latency.subtracting(start.process(process.name)?.latency ?? LatencyHistogram())
            delayed += latency.samples(longerThan: StageRun.freshness)
            if !aimedAt.contains(process.part) { others.add(latency) }
        }
        let repeated = now.processes(.subscriber).reduce(0) {
            $0 + $1.duplicateRecords - (start.process($1.name)?.duplicateRecords ?? 0)
        }
        return Pending(
            result: FaultResult(
                fault: fault, seconds: (end - start.instant) / .seconds(1), lost: 0, othersLost: 0,
                repeated: max(0, repeated), delayed: delayed, othersMaximum: LatencyResult(others).maximum,
                waitingRecords: await peakWaiting.value, recoverySeconds: recovery.map { ($0 - end) / .seconds(1) }),
            start: from, end: endTime, aimedAt: aimedAt)
    }

    private func killAndRestart(_ name: String, after duration: Duration) async throws {
        await run.kill(name)
        try await Task.sleep(for: duration)
        try await run.launch(name)
        try await run.awaitReady(name)
    }

    /// Lets a subscriber store a tenth of what arrives: it is stopped whenever it has stored more than that.
    private func slowDown(_ name: String, for duration: Duration) async throws {
        let rate = await run.ratePerSecond(of: name)
        let began = ContinuousClock.now
        let before = await run.snapshot().process(name)?.storedSamples ?? 0
        var isStopped = false
        while ContinuousClock.now - began < duration {
            let stored = (await run.snapshot().process(name)?.storedSamples ?? 0) - before
            let allowed = rate / 10 * ((ContinuousClock.now - began) / .seconds(1))
            if (Double(stored) > allowed) != isStopped {
                isStopped.toggle()
                await run.setStopped(name, isStopped)
            }
            // A process that is stopped does not report; what it has stored is known after it has run for a moment.
            try await Task.sleep(for: isStopped ? .milliseconds(100) : .milliseconds(250))
        }
        await run.setStopped(name, false)
    }

    // MARK: Additions

    private func add(_ addition: AdditionResult.Addition) async throws -> Pending<AdditionResult> {
        let from = Timestamp.now().milliseconds
        let began = ContinuousClock.now
        let newcomer: StageRun.Newcomer
        switch addition {
        case .publisher: newcomer = try await run.addPublisher()
        case .kind: newcomer = try await run.addKind()
        case .subscriber: newcomer = try await run.addSubscriber()
        }
        let hasData = try await Waiting.until(within: pace.patience, every: .milliseconds(50)) {
            try await run.hasArrived(newcomer)
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let endTime = Timestamp.now().milliseconds
        try await Task.sleep(for: pace.calm)
        var notCollected = 0
        for name in newcomer.touched { notCollected += try await run.notCollected(by: name, since: from) }
        return Pending(
            result: AdditionResult(
                addition: addition, touched: newcomer.touched.count, editedLines: newcomer.touched.count,
                newConnections: newcomer.connections, notCollected: notCollected, lost: 0,
                secondsUntilData: hasData ? seconds : nil),
            start: from, end: endTime, aimedAt: [])
    }
}

/// Which losses belong to which of several disturbances, by when the samples were to be collected.
///
/// What is lost was on its way when a disturbance began, so it may have been collected a little earlier; it is never
/// attributed to what was over by then.
struct LossTimes {
    /// How long a sample may be on its way.
    private static let lead: Int64 = 3000

    private let steps: [(start: Int64, end: Int64)]

    init(_ steps: [(start: Int64, end: Int64)]) { self.steps = steps.sorted { $0.start < $1.start } }

    /// From the one to before the other, in milliseconds since 1970; all times belong to one of the steps.
    func range(ofStart start: Int64) -> (from: Int64, to: Int64) {
        guard let index = steps.firstIndex(where: { $0.start == start }) else { return (0, 0) }
        return (beginning(of: index), index + 1 < steps.count ? beginning(of: index + 1) : .max)
    }

    private func beginning(of index: Int) -> Int64 {
        index == 0 ? 0 : max(steps[index - 1].end, steps[index].start - Self.lead)
    }
}

/// Watches how many records wait at the publishers.
private struct WaitingWatch: Sendable {
    let run: StageRun

    /// The most that were seen until the task was cancelled.
    func peak() async -> Int {
        var peak = 0
        while true {
            peak = max(peak, await run.snapshot().waitingRecords)
            do { try await Task.sleep(for: .milliseconds(200)) } catch { return peak }
        }
    }
}

extension Fault {
    /// What happens, for progress and tables.
    public var words: String {
        switch self {
        case .burst: "a publisher bursts to ten times its rate"
        case .slowSubscriber: "a subscriber is ten times too slow"
        case .subscriberKilled: "a subscriber is killed"
        case .brokerKilled: "a broker is killed and restarted"
        case .networkCut: "the network is cut"
        }
    }
}
