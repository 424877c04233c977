internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import SeriesStore

/// Sends what waits in the outbox, and removes it when the cluster has it: a kill in between sends it twice, never not at
/// all. One task runs it.
struct Emitter: Sendable {
    /// Records sent before the first of them is removed.
    private static let batch = 2000
    private static let retryPause = Duration.seconds(1)

    let writer: SeriesWriter
    let store: BlockingQueue
    let producer: Producer
    let identity: String
    let statistics: StatisticsKeeper
    let logger: Logger
    /// Yields when something may have come into the outbox.
    let arrivals: AsyncStream<Void>

    /// Runs until it is cancelled.
    func run() async throws {
        var wakes = arrivals.makeAsyncIterator()
        repeat {
            do {
                while try await sendSome() {}
                statistics.setEmission(waitingSince: nil)
            } catch let error as StoreError where error.isTransient {
                // The commit loop meets it too, and says so.
                try await Task.sleep(for: Self.retryPause)
            }
        } while await wakes.next() != nil
    }

    /// Gives whether there may be more.
    private func sendSome() async throws -> Bool {
        let emissions = try await store.run { [writer] in try writer.emissions(limit: Self.batch) }
        guard !emissions.isEmpty else { return false }
        statistics.setEmission(waitingSince: .now)
        let lost = try await send(emissions)
        try await store.run { [writer] in try writer.emitted(emissions.map(\.id)) }
        statistics.addEmission(records: emissions.count - lost, lost: lost)
        return true
    }

    /// Returns when the cluster has taken all but those that it will never take; gives how many these are. While it cannot
    /// be reached this waits.
    private func send(_ emissions: [Emission]) async throws -> Int {
        var waiting = emissions
        var lost = 0
        var hasFailed = false
        while true {
            var deliveries: [(emission: Emission, delivery: Producer.Delivery)] = []
            var failed: [Emission] = []
            var failure: (any Error)?
            for (index, emission) in waiting.enumerated() {
                do {
                    deliveries.append((emission, try await producer.enqueue(emission.message(from: identity))))
                } catch let error as KafkaClientError where error != .closed {
                    // The topic, mostly: those behind it in the queue would fail alike.
                    (failed, failure) = (Array(waiting[index...]), error)
                    break
                }
            }
            for (emission, delivery) in deliveries {
                do {
                    _ = try await delivery.offset()
                } catch let error as KafkaClientError where error.isAboutTheRecord {
                    lost += 1
                    logger.error(
                        "the cluster does not take a rollup, which is lost there; the window is in the database",
                        metadata: ["topic": "\(emission.id.topic)", "key": "\(emission.key)", "reason": "\(error)"])
                } catch let error as KafkaClientError where error != .closed {
                    failed.append(emission)
                    failure = error
                }
            }
            guard let failure else {
                if hasFailed { logger.notice("the cluster takes rollups again") }
                return lost
            }
            if !hasFailed {
                logger.error(
                    "rollups cannot be emitted, trying again until it succeeds",
                    metadata: ["waiting": "\(failed.count)", "reason": "\(failure)"])
            }
            hasFailed = true
            // In their order again.
            let left = Set(failed.map(\.id))
            waiting = waiting.filter { left.contains($0.id) }
            try await Task.sleep(for: Self.retryPause)
        }
    }
}

extension KafkaClientError {
    /// Whether it is this record that the cluster will never take.
    fileprivate var isAboutTheRecord: Bool {
        code == .messageTooLarge || code == .recordListTooLarge || code == .invalidRecord
    }
}
