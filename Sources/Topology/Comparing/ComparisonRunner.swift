internal import FoundationEssentials

/// Builds each stage with real processes, gives each the same work, breaks each in the same ways, and counts.
///
/// Stages are measured one after another, so that they do not share the processors; they are disturbed a few at a time
/// under a light load, where what counts is what is lost and how long it takes, not what it costs.
public struct ComparisonRunner: Sendable {
    private let options: ComparisonOptions
    private let pace: ComparisonPace
    private let progress: ProgressAccount
    private let lifeline: Lifeline

    /// The processing modes of a subscriber, the one that stages run in first and the slowest last.
    static let modes = ["batch", "stream", "realtime", "sequence"]

    /// - Parameter progress: told what is going on, from any thread.
    public init(
        _ options: ComparisonOptions, progress: @escaping @Sendable (ComparisonProgress) async -> Void
    ) throws {
        self.options = options
        self.progress = ProgressAccount(progress)
        pace = options.pace ?? (options.isQuick ? .quick : .full)
        lifeline = try Lifeline()
    }

    /// Runs it all. Cancelled, it kills what it has started and throws.
    public func run() async throws -> Comparison {
        let start = ContinuousClock.now
        plan()
        var comparison = Comparison(
            origin: .here(command: options.command, version: options.version), isQuick: options.isQuick,
            load: options.load, peakSamplesPerSecond: options.peakSamplesPerSecond,
            stages: options.stages.map(StageResult.init(declared:)))
        for index in options.stages.indices { try await measure(options.stages[index], at: index, &comparison) }
        if options.parts.contains(.faults) { try await disturbAll(&comparison) }
        if options.parts.contains(.scale) { comparison.scale = try await measureScale() }
        comparison.seconds = (ContinuousClock.now - start) / .seconds(1)
        return comparison
    }

    // MARK: One stage after another

    /// What one phase of a stage's run answers.
    private enum Question: Hashable {
        case steady, peak, mode(String)
    }

    /// What is asked of a stage while it runs once: last what it may not keep up with, so that no other answer has to make up
    /// for it. The steady phase answers for the first mode as well.
    private func questions(of stage: Stage) -> [Question] {
        var questions: [Question] = []
        let isSteady = options.parts.contains(.steady)
        if isSteady { questions.append(.steady) }
        if hasModes(stage) { questions += Self.modes.dropFirst(isSteady ? 1 : 0).map(Question.mode) }
        if options.parts.contains(.peak) { questions.append(.peak) }
        return questions
    }

    private func hasModes(_ stage: Stage) -> Bool {
        options.parts.contains(.modes) && stage.name == brokerStage?.name
    }

    private func phase(of question: Question) -> StageMeasurement.Phase {
        switch question {
        case .steady:
            StageMeasurement.Phase(
                load: options.load, mode: nil, duration: pace.steady, patience: pace.settling * 2)
        case .peak:
            StageMeasurement.Phase(
                load: options.load.at(samplesPerSecond: options.peakSamplesPerSecond), mode: nil, duration: pace.peak,
                patience: pace.settling)
        case .mode(let mode):
            StageMeasurement.Phase(
                load: options.load, mode: mode, duration: pace.mode, patience: pace.settling * 2)
        }
    }

    private func measure(_ stage: Stage, at index: Int, _ comparison: inout Comparison) async throws {
        let questions = questions(of: stage)
        if questions.isEmpty { return }
        let outcome = try await measure(stage, questions.map(phase), name: "steady") { step, phase in
            switch questions[phase] {
            case .steady: step.rawValue
            case .peak: "at the limit: \(step.rawValue)"
            case .mode(let mode): "mode \(mode): \(step.rawValue)"
            }
        }
        for (question, result) in zip(questions, outcome.results) {
            switch question {
            case .steady:
                comparison.stages[index].steady = result
                if hasModes(stage) { comparison.modes.append(ModeResult(mode: Self.modes[0], steady: result)) }
            case .peak: comparison.stages[index].peak = result
            case .mode(let mode): comparison.modes.append(ModeResult(mode: mode, steady: result))
            }
        }
        comparison.stages[index].establishedConnections = outcome.establishedConnections
        comparison.stages[index].configurationLines = outcome.configurationLines
        comparison.stages[index].addressLines = outcome.addressLines
        outcome.recounts.forEach { comparison.stages[index].recount.add($0) }
    }

    /// Runs a stage once, through all of these phases.
    ///
    /// - Parameter words: what is being done, for whoever watches.
    private func measure(
        _ stage: Stage, _ phases: [StageMeasurement.Phase], name: String,
        _ words: @escaping @Sendable (StageMeasurement.Step, Int) -> String
    ) async throws -> StageMeasurement.Outcome {
        let directory = "\(options.directory)/\(stage.name)-\(name)"
        let run = try makeRun(StagePlan(stage, load: phases[0].load), directory, usesProxies: false)
        let outcome = try await StageMeasurement(run: run, phases: phases, patience: pace.patience) {
            [progress, pace] step, phase in
            // A phase is over when the step after its measuring begins.
            let done: Double =
                switch step {
                case .settling: phase == 0 ? pace.starting / .seconds(1) : phases[phase - 1].planned
                case .counting: phases[phase].planned
                default: 0
                }
            await progress.report(stage.name, words(step, phase), after: done)
        }.perform()
        progress.finish(pace.counting / .seconds(1))
        try discard(directory)
        return outcome
    }

    // MARK: Several at a time

    private func disturbAll(_ comparison: inout Comparison) async throws {
        var remaining = Array(options.stages.enumerated())[...]
        while !remaining.isEmpty {
            let batch = remaining.prefix(pace.together)
            remaining = remaining.dropFirst(pace.together)
            try await withThrowingTaskGroup(of: (Int, StageDisturbance.Outcome).self) { group in
                for (index, stage) in batch {
                    group.addTask { (index, try await disturb(stage, together: batch.count)) }
                }
                for try await (index, outcome) in group {
                    comparison.stages[index].additions = outcome.additions
                    comparison.stages[index].faults = outcome.faults
                    outcome.recounts.forEach { comparison.stages[index].recount.add($0) }
                }
            }
        }
    }

    private func disturb(_ stage: Stage, together: Int) async throws -> StageDisturbance.Outcome {
        var plan = StagePlan(stage, load: options.load.calm)
        plan.burst(after: pace.warmUp, for: pace.burst)
        let hasBroker = !plan.processes(.broker).isEmpty
        let faults = Fault.allCases.filter { fault in
            switch fault {
            case .brokerKilled: hasBroker && options.bootstrap.isEmpty
            case .networkCut: options.bootstrap.isEmpty
            default: true
            }
        }
        let directory = "\(options.directory)/\(stage.name)-faults"
        let run = try makeRun(plan, directory, usesProxies: options.bootstrap.isEmpty)
        let disturbance = StageDisturbance(run: run, pace: pace, faults: faults) { [progress] step, part in
            await progress.report(stage.name, step, after: plannedDisturbance / Double(together) * part)
        }
        let outcome = try await disturbance.perform()
        try discard(directory)
        return outcome
    }

    // MARK: Scale

    /// The stage around one broker that is measured in all modes.
    private var brokerStage: Stage? {
        options.stages.first { $0.name == "pubsub" } ?? options.stages.first { !$0.isDirect }
    }

    private func measureScale() async throws -> [ScaleResult] {
        guard options.stages.contains(where: \.isDirect), brokerStage != nil else { return [] }
        var results: [ScaleResult] = []
        for stage in scaleStages {
            let outcome = try await measure(stage, [scalePhase], name: "scale") { step, _ in step.rawValue }
            results.append(ScaleResult(stage, outcome.results[0], outcome.establishedConnections))
        }
        return results
    }

    private var scaleStages: [Stage] { pace.scales.flatMap { [Stage.mesh($0, $0), Stage.hub($0, $0)] } }

    private var scalePhase: StageMeasurement.Phase {
        var load = options.load.calm
        load.hosts = max(load.hosts, pace.scales.max() ?? 1)
        return StageMeasurement.Phase(load: load, mode: nil, duration: pace.scale, patience: pace.patience)
    }

    // MARK: Plans

    /// What running a stage takes over all: starting, draining and counting included.
    private func planned(_ phases: [StageMeasurement.Phase]) -> Double {
        phases.isEmpty ? 0 : phases.reduce((pace.starting + pace.counting) / .seconds(1)) { $0 + $1.planned }
    }

    private var plannedDisturbance: Double {
        (pace.warmUp + pace.burst + pace.fault * 3 + pace.calm * 10) / .seconds(1) + 12
    }

    private func plan() {
        for stage in options.stages { progress.plan(planned(questions(of: stage).map(phase))) }
        if options.parts.contains(.faults) {
            let batches = (options.stages.count + pace.together - 1) / pace.together
            progress.plan(Double(batches) * plannedDisturbance)
        }
        if options.parts.contains(.scale), brokerStage != nil, options.stages.contains(where: \.isDirect) {
            progress.plan(Double(scaleStages.count) * planned([scalePhase]))
        }
    }

    // MARK: Files

    private func makeRun(_ plan: StagePlan, _ directory: String, usesProxies: Bool) throws -> StageRun {
        var run = StageRun.Options()
        run.usesProxies = usesProxies
        run.bootstrap = options.bootstrap
        run.program = options.program
        try? FileManager.default.removeItem(atPath: directory)
        return try StageRun(plan, directory: directory, options: run, lifeline: lifeline)
    }

    /// A run's databases and logs are worth gigabytes; what was found out is in the result.
    private func discard(_ directory: String) throws { try FileManager.default.removeItem(atPath: directory) }
}

extension StageResult {
    /// A stage before anything is measured.
    init(declared stage: Stage) {
        self.init(
            name: stage.name, title: stage.title, story: stage.story, isDirect: stage.running.isDirect,
            shape: StageShape(stage.running))
    }
}

extension StageMeasurement.Phase {
    /// What it takes in seconds, with what is waited for before.
    fileprivate var planned: Double { (wholeDuration + load.interval) / .seconds(1) + 1 }
}

extension ScaleResult {
    init(_ stage: Stage, _ result: SteadyResult, _ establishedConnections: Int) {
        let shape = StageShape(stage)
        self.init(
            stage: stage.name, isDirect: stage.isDirect, publishers: shape.publishers,
            subscribers: shape.subscribers, connections: shape.connections,
            establishedConnections: establishedConnections, cpuSecondsPerMillion: result.cpuSecondsPerMillion,
            memoryBytes: result.memoryBytes, latency: result.latency)
    }
}
