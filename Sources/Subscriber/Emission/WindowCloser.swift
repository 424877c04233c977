internal import Logging
internal import SeriesStore

/// Closes windows as event time goes on: has those that are due evaluated, beside the commits, and tells the emitter.
/// One task runs it.
struct WindowCloser: Sendable {
    /// How often it looks what is due.
    private static let interval = Duration.milliseconds(200)
    /// How often event time goes on while nothing is committed, and the statistics are brought up to date.
    private static let idleInterval = Duration.seconds(1)
    private static let mentionInterval = Duration.seconds(60)

    let intake: Intake
    let writer: SeriesWriter
    let evaluator: RuleEvaluator
    let store: BlockingQueue
    /// With more records waiting to be emitted, windows stay open.
    let maximumWaiting: Int
    let statistics: StatisticsKeeper
    let logger: Logger
    let emissions: AsyncStream<Void>.Continuation

    /// Runs until it is cancelled.
    func run() async throws {
        let clock = ContinuousClock()
        var (nextIdle, nextMention) = (clock.now, clock.now)
        emissions.yield()
        while !Task.isCancelled {
            do {
                if clock.now >= nextIdle {
                    nextIdle = clock.now + Self.idleInterval
                    let eventTime = await intake.eventTimeAtRest()
                    let (rules, waiting) = try await store.run { [writer] in
                        try writer.advance(to: eventTime)
                        return (try writer.ruleStatistics(), try writer.outboxCount)
                    }
                    statistics.set(rules: rules, waitingEmissions: waiting)
                }
                if try await closeWindows() == .heldBack, clock.now >= nextMention {
                    nextMention = clock.now + Self.mentionInterval
                    let waiting = try writer.outboxCount
                    logger.error(
                        """
                        windows are not closed because the cluster does not take their results; nothing is lost, they \
                        close when it does: see that the brokers can be reached and the topics metrics.rollup.… written
                        """, metadata: ["waiting records": "\(waiting)"])
                }
            } catch let error as StoreError where error.isTransient {
                // The commit loop meets it too, and says so.
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    private enum Outcome {
        case done, heldBack
    }

    private func closeWindows() async throws -> Outcome {
        while !Task.isCancelled {
            let step =
                try await store.run { [writer, evaluator, maximumWaiting] in
                    if try writer.outboxCount >= maximumWaiting, try writer.dueWindows(limit: 1) != nil { return nil }
                    return try evaluator.step()
                } as Bool?
            emissions.yield()
            guard let isMore = step else {
                statistics.addHeldBack()
                return .heldBack
            }
            if !isMore { break }
        }
        return .done
    }
}
