internal import Synchronization

/// How far a comparison has come.
public struct ComparisonProgress: Sendable {
    /// What is being worked on: a stage, or several.
    public var subject: String
    public var step: String
    /// From 0 to 1.
    public var fraction: Double
    public var secondsLeft: Int
}

/// Adds up planned and finished seconds, and tells whoever shows them. Any thread.
final class ProgressAccount: Sendable {
    private struct State {
        var planned = 0.0
        var finished = 0.0
        let start = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let tell: @Sendable (ComparisonProgress) async -> Void

    init(_ tell: @escaping @Sendable (ComparisonProgress) async -> Void) { self.tell = tell }

    func plan(_ seconds: Double) { state.withLock { $0.planned += seconds } }

    /// A part that was planned to take so long is over.
    func finish(_ seconds: Double) { state.withLock { $0.finished += seconds } }

    /// Tells what is being done; what was done before it took about so long of the plan.
    func report(_ subject: String, _ step: String, after seconds: Double) async {
        finish(seconds)
        await report(subject, step)
    }

    func report(_ subject: String, _ step: String) async {
        let progress = state.withLock { state in
            // How plans have held so far says how long the rest will take.
            let elapsed = (ContinuousClock.now - state.start) / .seconds(1)
            let pace = state.finished > 5 ? max(0.5, min(4, elapsed / state.finished)) : 1
            let left = max(0, (state.planned - state.finished) * pace)
            return ComparisonProgress(
                subject: subject, step: step, fraction: min(1, state.finished / max(1, state.planned)),
                secondsLeft: Int(left.rounded()))
        }
        await tell(progress)
    }
}
