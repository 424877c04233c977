internal import Logging
internal import SeriesStore
internal import Synchronization

/// Says in the log which samples the database did not take and why: at once for a new reason, then now and then with what
/// has come together. Used by the `CommitLoop`'s task.
final class DropMentions: Sendable {
    fileprivate static let interval = Duration.seconds(60)

    fileprivate struct State {
        var quietUntil: [SeriesOverflow.Cause: ContinuousClock.Instant] = [:]
        var unmentioned: [SeriesOverflow.Cause: SeriesOverflow] = [:]
        var expired = 0
        var expiredQuietUntil = ContinuousClock.now
    }

    private let logger: Logger
    private let state = Mutex(State())

    init(_ logger: Logger) {
        self.logger = logger
    }

    func mention(_ report: CommitReport) {
        guard report.expiredSamples > 0 || !report.overflow.isEmpty else { return }
        let now = ContinuousClock.now
        let (due, expired) = state.withLock { state in
            (report.overflow.compactMap { state.add($0, now) }, state.add(expired: report.expiredSamples, now))
        }
        for overflow in due { logger.warning("\(overflow)") }
        if expired > 0 {
            logger.warning(
                "samples were not stored because they are older than their retention (--retention)",
                metadata: ["samples": "\(expired)"])
        }
    }
}

extension DropMentions.State {
    /// What is to be mentioned now.
    fileprivate mutating func add(_ overflow: SeriesOverflow, _ now: ContinuousClock.Instant) -> SeriesOverflow? {
        var sum = unmentioned[overflow.cause] ?? overflow.withoutCounts
        sum.add(overflow)
        guard now >= quietUntil[overflow.cause, default: now] else {
            unmentioned[overflow.cause] = sum
            return nil
        }
        unmentioned[overflow.cause] = nil
        quietUntil[overflow.cause] = now + DropMentions.interval
        return sum
    }

    /// How many are to be mentioned now.
    fileprivate mutating func add(expired count: Int, _ now: ContinuousClock.Instant) -> Int {
        expired += count
        guard expired > 0, now >= expiredQuietUntil else { return 0 }
        defer { expired = 0 }
        expiredQuietUntil = now + DropMentions.interval
        return expired
    }
}
