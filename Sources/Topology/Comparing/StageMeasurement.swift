internal import MetricModel

/// One run of a stage that is left to itself: started, and measured under one load or mode after the other, each time when
/// it has got going; then drained, stopped and recounted. So what a phase says is said of a pipeline in its steady state,
/// and a stage is started once for all questions about it.
struct StageMeasurement: Sendable {
    /// What is measured without changing anything.
    struct Phase: Sendable {
        var load: StageLoad
        /// The subscribers' processing mode; nil for theirs.
        var mode: String?
        var duration: Duration
        /// How long it is waited for until all samples are fresh; afterwards it is measured as it is.
        var patience: Duration

        /// At least as long as asked for, in whole intervals, so that every series counts as often as every other.
        var wholeDuration: Duration {
            let intervals = (duration / load.interval).rounded(.up)
            return load.interval * max(1, Int(intervals))
        }
    }

    let run: StageRun
    let phases: [Phase]
    /// How long what is under way at the end is waited for.
    let patience: Duration
    /// Told the step, and the index of its phase.
    let progress: @Sendable (Step, Int) async -> Void

    enum Step: String, Sendable {
        case starting, settling = "waiting until it is steady", measuring, counting
    }

    struct Outcome: Sendable {
        /// One for each phase.
        var results: [SteadyResult]
        var recounts: [Recount]
        /// While the first phase was measured.
        var establishedConnections: Int
        var configurationLines: Int
        var addressLines: Int
    }

    /// A phase before it has been counted.
    private struct Measured {
        var start: StageSnapshot
        var end: StageSnapshot
        var secondsUntilFresh: Double?
        var offeredPerSecond: Double
        /// When it began, with what was changed for it, in milliseconds since 1970.
        var began: Int64
    }

    /// The processes have ended afterwards, also when it throws.
    func perform() async throws -> Outcome {
        try await run.stopping { try await work() }
    }

    private func work() async throws -> Outcome {
        var measured: [Measured] = []
        var before: Phase?
        for (index, phase) in phases.enumerated() {
            let (began, start) = (Timestamp.now().milliseconds, ContinuousClock.now)
            try await change(from: before, to: phase, index)
            await progress(.settling, index)
            let fresh = try await run.awaitFresh(
                for: max(phase.load.interval, .milliseconds(500)), within: phase.patience + phase.load.interval * 2)
            if fresh == nil, index == 0 { try await checkSomethingArrived() }
            await progress(.measuring, index)
            let first = await run.snapshot()
            try await Task.sleep(for: phase.wholeDuration)
            measured.append(
                Measured(
                    start: first, end: await run.snapshot(countingConnections: index == 0),
                    secondsUntilFresh: fresh.map { ($0 - start) / .seconds(1) },
                    offeredPerSecond: await run.offeredPerSecond, began: began))
            before = phase
        }
        await progress(.counting, phases.count - 1)
        // What a slow mode has left undone need not be waited for in that mode.
        if let mode = before?.mode, mode != phases[0].mode { try await run.change(mode: phases[0].mode) }
        try await run.stopPublishers()
        try await run.awaitDrained(within: patience)
        await run.stop()
        return await outcome(measured, try await run.recount())
    }

    private func change(from before: Phase?, to phase: Phase, _ index: Int) async throws {
        guard let before else {
            await progress(.starting, index)
            await run.set(mode: phase.mode)
            return try await run.start()
        }
        if before.mode != phase.mode { try await run.change(mode: phase.mode) }
        if before.load != phase.load { try await run.change(load: phase.load) }
    }

    /// - Throws: ``ProcessError`` that says what a subscriber that has stored nothing at all had to say.
    private func checkSomethingArrived() async throws {
        let hasData = await run.snapshot().processes(.subscriber).allSatisfy { $0.storedSamples > 0 }
        if !hasData { throw await run.explainSilence() }
    }

    private func outcome(_ measured: [Measured], _ recounts: [Recount]) async -> Outcome {
        var results: [SteadyResult] = []
        for (index, phase) in measured.enumerated() {
            let from = index == 0 ? 0 : phase.began
            let to = index + 1 < measured.count ? measured[index + 1].began : Int64.max
            results.append(
                await run.steadyResult(
                    from: phase.start, to: phase.end, secondsUntilFresh: phase.secondsUntilFresh,
                    offeredPerSecond: phase.offeredPerSecond, times: from..<to, recounts))
        }
        let configuration = await run.configuration
        return Outcome(
            results: results, recounts: recounts, establishedConnections: measured.first?.end.connections ?? 0,
            configurationLines: configuration.lines, addressLines: configuration.addresses)
    }
}
