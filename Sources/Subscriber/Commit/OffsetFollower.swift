internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import RecordBatch
internal import Synchronization

/// Commits to the group how far the database has come, after the database: for tools that show a group's lag, never
/// for starting. So it does it now and then, and lets a failure pass.
final class OffsetFollower: Sendable {
    private static let interval = Duration.seconds(1)

    private struct State {
        var consumer: GroupConsumer?
        var told: [TopicPartition: Offset] = [:]
    }

    private let intake: Intake
    private let statistics: StatisticsKeeper
    private let logger: Logger
    private let state = Mutex(State())

    init(intake: Intake, statistics: StatisticsKeeper, logger: Logger) {
        self.intake = intake
        self.statistics = statistics
        self.logger = logger
    }

    /// The member that commits; nil once it has left, which also unties the two.
    func attach(_ consumer: GroupConsumer?) {
        state.withLock { $0.consumer = consumer }
    }

    /// Follows until cancelled; keeps the statistics' lag up to date too.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            statistics.set(lag: await intake.lag)
            await follow()
        }
    }

    /// Commits what is not committed yet, but does not wait for longer than `limit`.
    func follow(within limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.follow() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private func follow() async {
        let offsets = await intake.committedOffsets
        let (consumer, news) = state.withLock { state in
            (state.consumer, offsets.filter { state.told[$0.key] != $0.value })
        }
        guard let consumer, !news.isEmpty else { return }
        do {
            try await consumer.commit(news)
            state.withLock { $0.told.merge(news) { _, new in new } }
        } catch {
            logger.debug("the group's offsets could not be committed", metadata: ["reason": "\(error)"])
        }
    }
}
