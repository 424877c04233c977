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

    /// The processing modes of a subscriber.
    static let modes = ["sequence", "batch", "stream", "realtime"]

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
        for index in options.stages.indices {
            try await measure(options.stages[index], &comparison.stages[index])
        }
        if options.parts.contains(.faults) { try await disturbAll(&comparison) }
        if options.parts.contains(.modes) { comparison.modes = try await measureModes() }
        if options.parts.contains(.scale) { comparison.scale = try await measureScale() }
        comparison.seconds = (ContinuousClock.now - start) / .seconds(1)
        return comparison
    }

    // MARK: One stage after another

    private func measure(_ stage: Stage, _ result: inout StageResult) async throws {
        if options.parts.contains(.steady) {
            let outcome = try await steady(stage, load: options.load, "steady", for: pace.steady)
            result.steady = outcome.result
            result.establishedConnections = outcome.establishedConnections
            result.configurationLines = outcome.configurationLines
            result.addressLines = outcome.addressLines
            outcome.recounts.forEach { result.recount.add($0) }
        }
        if options.parts.contains(.peak) {
            let load = options.load.at(samplesPerSecond: options.peakSamplesPerSecond)
            let outcome = try await steady(stage, load: load, "peak", for: pace.peak)
            result.peak = outcome.result
            outcome.recounts.forEach { result.recount.add($0) }
        }
    }

    private func steady(
        _ stage: Stage, load: StageLoad, _ name: String, for duration: Duration, mode: String? = nil
    ) async throws -> SteadyMeasurement.Outcome {
        let directory = "\(options.directory)/\(stage.name)-\(name)"
        let run = try makeRun(StagePlan(stage, load: load), directory, usesProxies: false, mode: mode)
        let subject = name == "steady" ? stage.name : "\(stage.name), \(name)"
        let measured = (pace.warmUp + duration) / .seconds(1)
        let outcome = try await SteadyMeasurement(
            run: run, warmUp: pace.warmUp, duration: duration, patience: pace.patience
        ) { [progress] step in
            await progress.report(subject, step, after: step == SteadyMeasurement.counting ? measured : 0)
        }.perform()
        progress.finish(planned(duration) - measured)
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

    // MARK: Modes and scale

    /// The stage around one broker that is measured in all modes.
    private var brokerStage: Stage? {
        options.stages.first { $0.name == "pubsub" } ?? options.stages.first { !$0.isDirect }
    }

    private func measureModes() async throws -> [ModeResult] {
        guard let stage = brokerStage else { return [] }
        var results: [ModeResult] = []
        for mode in Self.modes {
            let steady = try await steady(
                stage, load: options.load, "mode \(mode)", for: modeDuration, mode: mode)
            results.append(ModeResult(mode: mode, steady: steady.result))
        }
        return results
    }

    private func measureScale() async throws -> [ScaleResult] {
        guard options.stages.contains(where: \.isDirect), brokerStage != nil else { return [] }
        var results: [ScaleResult] = []
        for size in pace.scales {
            for stage in [Stage.mesh(size, size), Stage.hub(size, size)] {
                var load = options.load.calm
                load.hosts = max(load.hosts, size)
                let outcome = try await steady(stage, load: load, "scale", for: scaleDuration)
                results.append(ScaleResult(stage, outcome))
            }
        }
        return results
    }

    // MARK: Plans

    private var modeDuration: Duration { pace.steady / 2 }
    private var scaleDuration: Duration { options.isQuick ? .milliseconds(2500) : .seconds(8) }

    /// What a steady run takes over all: starting, draining and counting included.
    private func planned(_ duration: Duration) -> Double { (pace.warmUp + duration) / .seconds(1) + 3 }

    private var plannedDisturbance: Double {
        (pace.warmUp + pace.burst + pace.fault * 3 + pace.calm * 10) / .seconds(1) + 12
    }

    private func plan() {
        let stages = Double(options.stages.count)
        if options.parts.contains(.steady) { progress.plan(stages * planned(pace.steady)) }
        if options.parts.contains(.peak) { progress.plan(stages * planned(pace.peak)) }
        if options.parts.contains(.faults) {
            progress.plan((stages / Double(pace.together)).rounded(.up) * plannedDisturbance)
        }
        if options.parts.contains(.modes), brokerStage != nil {
            progress.plan(Double(Self.modes.count) * planned(modeDuration))
        }
        if options.parts.contains(.scale), brokerStage != nil, options.stages.contains(where: \.isDirect) {
            progress.plan(Double(pace.scales.count * 2) * planned(scaleDuration))
        }
    }

    // MARK: Files

    private func makeRun(
        _ plan: StagePlan, _ directory: String, usesProxies: Bool, mode: String? = nil
    ) throws -> StageRun {
        var run = StageRun.Options()
        run.usesProxies = usesProxies
        run.mode = mode
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

extension ScaleResult {
    init(_ stage: Stage, _ outcome: SteadyMeasurement.Outcome) {
        let shape = StageShape(stage)
        self.init(
            stage: stage.name, isDirect: stage.isDirect, publishers: shape.publishers,
            subscribers: shape.subscribers, connections: shape.connections,
            establishedConnections: outcome.establishedConnections,
            cpuSecondsPerMillion: outcome.result.cpuSecondsPerMillion, memoryBytes: outcome.result.memoryBytes,
            latency: outcome.result.latency)
    }
}
