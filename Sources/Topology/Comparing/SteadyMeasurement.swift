internal import MetricModel

/// One run of a stage that is left to itself: started, warmed up, measured, drained, stopped and recounted.
struct SteadyMeasurement: Sendable {
    let run: StageRun
    let warmUp: Duration
    let duration: Duration
    let patience: Duration
    let progress: @Sendable (String) async -> Void

    /// The step in which there is nothing more to be measured.
    static let counting = "counting"

    struct Outcome: Sendable {
        var result: SteadyResult
        var recounts: [Recount]
        var establishedConnections: Int
        var configurationLines: Int
        var addressLines: Int
    }

    /// The processes have ended afterwards, also when it throws.
    func perform() async throws -> Outcome {
        try await run.stopping { try await work() }
    }

    private func work() async throws -> Outcome {
        await progress("starting")
        try await run.start()
        try await awaitData()
        try await Task.sleep(for: warmUp)
        await progress("measuring")
        let start = await run.snapshot()
        try await Task.sleep(for: duration)
        let end = await run.snapshot(countingConnections: true)
        await progress(Self.counting)
        try await run.stopPublishers()
        try await run.awaitDrained(within: patience)
        await run.stop()
        let recounts = try await run.recount()
        let configuration = await run.configuration
        return Outcome(
            result: await run.steadyResult(from: start, to: end, recounts), recounts: recounts,
            establishedConnections: end.connections, configurationLines: configuration.lines,
            addressLines: configuration.addresses)
    }

    /// Until every subscriber has stored something.
    private func awaitData() async throws {
        let hasData = try await Waiting.until(within: patience, every: .milliseconds(50)) {
            try await run.checkAllRun()
            return await run.snapshot().processes(.subscriber).allSatisfy { $0.storedSamples > 0 }
        }
        if !hasData { throw await run.explainSilence() }
    }
}
