internal import KafkaClient
internal import Logging
internal import SeriesStore
internal import Synchronization

/// How far the database has come, read again and again, as other processes may write to it.
struct CommittedProgress: Sendable {
    let writer: SeriesWriter
    let store: BlockingQueue

    /// - Throws: `StoreError` when the database is beyond help; `CancellationError`.
    func read() async throws -> StoredProgress {
        while true {
            do {
                return try await store.run { [writer] in try writer.progress() }
            } catch let error as StoreError where error.isTransient {
                // Who commits meets it too, and says so.
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}

/// What happens when another process of the group has stored some of what this one has in hand: because this one was thought
/// to be dead and its partitions went to others, or because agents' records were read from two places. Everything in hand is
/// dropped, and the partitions are read from where the database is. What came on direct links cannot be read again; it is
/// counted.
///
/// Used by the `CommitLoop`'s task.
struct Rereading: Sendable {
    let intake: Intake
    let database: CommittedProgress
    /// Nil where there are no topics, only direct links.
    let consumer: GroupConsumer?
    let logger: Logger

    func run(dropping head: Head, because reason: Supersession) async throws {
        logger.notice("another subscriber was first; reading on from the database", metadata: ["reason": "\(reason)"])
        await intake.beginRestart(dropping: head, forgettingSeries: reason == .series)
        var restarts = await intake.restarts(from: try await database.read())
        for (partition, restart) in restarts {
            do {
                try consumer?.seek(partition, to: restart.offset)
            } catch {
                // Gone, or about to be read for the first time, from where the database was a moment ago.
                restarts[partition] = nil
            }
        }
        await intake.endRestart(restarts)
    }
}
