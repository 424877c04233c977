internal import Aggregation
internal import Logging
internal import Synchronization

/// Says in the log whose clock is wrong, and by how much: at once for a source that was not named lately, then now and
/// then. Used by the `CommitLoop`'s task.
final class SkewMentions: Sendable {
    private static let interval = Duration.seconds(60)
    /// Sources that are remembered as named. With more than these wrong at once, the rest has only its counters.
    private static let maximumSources = 100

    private let logger: Logger
    private let quietUntil = Mutex<[String: ContinuousClock.Instant]>([:])

    init(_ logger: Logger) {
        self.logger = logger
    }

    func mention(_ skews: [String: ClockSkew]) {
        guard !skews.isEmpty else { return }
        let now = ContinuousClock.now
        let due = quietUntil.withLock { quietUntil in
            quietUntil = quietUntil.filter { $0.value > now }
            return skews.filter { name, _ in
                guard quietUntil[name] == nil, quietUntil.count < Self.maximumSources else { return false }
                quietUntil[name] = now + Self.interval
                return true
            }
        }
        for (_, skew) in due.sorted(by: { $0.key < $1.key }) {
            if skew.futureSamples > 0 {
                logger.warning(
                    "samples of the future: the source's clock is ahead; they are stored, and close no windows",
                    metadata: ["source": "\(skew.source)", "skew": "\(skew)"])
            } else {
                logger.notice(
                    "samples from long ago: a clock that is behind, or what a source kept during an outage",
                    metadata: ["source": "\(skew.source)", "skew": "\(skew)"])
            }
        }
    }
}
