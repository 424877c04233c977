import CommitLog
import Logging
import NIOCore
import RecordBatch
import Synchronization

/// Takes one topic's records out of the spool, in order, and hands them to the publisher; forgets them once they are
/// acknowledged. Owned by the ``AgentService``, which runs it as one task.
final class SpoolDrain: Sendable {
    /// Read from the spool at once.
    private static let chunkBytes = 1 << 20
    private static let firstPause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(30)

    struct Counters: Sendable {
        var publishedRecords = 0
        var lostRecords = 0
    }

    private let topic: SpoolTopic
    private let publisher: any Publisher
    private let logger: Logger
    private let counts = Mutex(Counters())

    init(topic: SpoolTopic, publisher: any Publisher, logger: Logger) {
        self.topic = topic
        self.publisher = publisher
        self.logger = logger
    }

    var counters: Counters { counts.withLock { $0 } }

    /// Drains until the task is cancelled or the spool is closed.
    func run() async {
        var trouble = Trouble()
        for await _ in topic.arrivals {
            var isDone = false
            while !isDone, !Task.isCancelled {
                do {
                    isDone = try await !drainChunk()
                    if trouble.passed() { logger.info("topic \(topic.name) is published again") }
                } catch {
                    if Task.isCancelled { return }
                    if trouble.isNew(error) {
                        logger.error("cannot publish to topic \(topic.name): \(error); its records stay in the spool")
                    }
                    try? await Task.sleep(for: trouble.pause)
                }
            }
        }
    }

    /// Sends one chunk. False when nothing was left to send.
    private func drainChunk() async throws -> Bool {
        let topic = topic
        let offset = topic.acknowledged
        let reading = try await BlockingWork.run { () throws(LogError) in
            try topic.read(from: offset, maximumBytes: Self.chunkBytes)
        }
        switch reading {
        case .nothing:
            return false
        case .batches(let batches):
            for batch in batches {
                try await publisher.publish(batch, to: topic.name)
                counts.withLock { $0.publishedRecords += Int(batch.header.recordCount) }
                topic.acknowledge(before: batch.header.nextOffset, bytes: batch.bytes.readableBytes)
            }
        case .damage(let next, let lostRecords, let reason):
            counts.withLock { $0.lostRecords += Int(lostRecords) }
            logger.error("\(lostRecords) records of topic \(topic.name) in the spool are lost: \(reason)")
            topic.acknowledge(before: next, bytes: 0)
        }
        try await BlockingWork.run { () throws(LogError) in try topic.deleteAcknowledged() }
        return true
    }

    /// Says what went wrong once, not at every attempt, and when to try again.
    private struct Trouble {
        private var text: String?
        private(set) var pause = SpoolDrain.firstPause

        mutating func isNew(_ error: any Error) -> Bool {
            let isNew = text != "\(error)"
            if text != nil { pause = min(pause * 2, SpoolDrain.longestPause) }
            text = "\(error)"
            return isNew
        }

        /// True when there was trouble.
        mutating func passed() -> Bool {
            defer { self = Trouble() }
            return text != nil
        }
    }
}
