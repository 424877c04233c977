import DequeModule
import RecordBatch

/// What waits to be sent to one partition, in order: complete batches, then the one that records are still added to.
///
/// A pure value behind the lock of its ``PartitionSender``.
struct PartitionQueue: Sendable {
    enum Next {
        case batch(OutgoingBatch)
        /// The open batch lingers until then.
        case lingers(until: ContinuousClock.Instant)
        case nothing
    }

    private let linger: Duration
    private let batchBytes: Int
    private var ready: Deque<OutgoingBatch> = []
    private var open: OutgoingBatch?
    /// Batches taken in and batches finished, ever; so a flush knows when what it waits for is done.
    private(set) var enqueuedCount: UInt64 = 0
    private(set) var finishedCount: UInt64 = 0
    /// Batches up to this one are wanted without lingering.
    private var flushCount: UInt64 = 0

    init(linger: Duration, batchBytes: Int) {
        self.linger = linger
        self.batchBytes = batchBytes
    }

    var hasOpenBatch: Bool { open != nil }

    /// Adds one record to the open batch; opens one if there is none or it would grow too large.
    mutating func append(
        _ message: OutgoingBatch.TimedMessage, bytes: Int, delivered: OneShot<Offset>, now: ContinuousClock.Instant
    ) {
        if let open, open.bytes + bytes > batchBytes { closeBatch() }
        if open == nil {
            enqueuedCount += 1
            open = OutgoingBatch(enqueuedAt: now)
        }
        open?.append(message, bytes: bytes, delivered: delivered)
        if let open, open.bytes >= batchBytes { closeBatch() }
    }

    /// Adds a batch as it is, behind everything that came before.
    mutating func append(_ batch: EncodedBatch, delivered: OneShot<Offset>, now: ContinuousClock.Instant) {
        closeBatch()
        enqueuedCount += 1
        ready.append(OutgoingBatch(batch, delivered: delivered, enqueuedAt: now))
    }

    /// The next batch to send. The open one is taken when it has lingered long enough, or a flush asks for it.
    mutating func next(now: ContinuousClock.Instant) -> Next {
        if ready.isEmpty, let open {
            let due = open.enqueuedAt + linger
            if due > now && flushCount < enqueuedCount { return .lingers(until: due) }
            closeBatch()
        }
        return ready.popFirst().map(Next.batch) ?? .nothing
    }

    /// The batch that `next` gave is done with.
    mutating func finish() {
        finishedCount += 1
    }

    /// Lets nothing that is here now linger. Returns the count of finished batches to wait for.
    mutating func flush() -> UInt64 {
        flushCount = enqueuedCount
        return enqueuedCount
    }

    /// Takes out everything.
    mutating func removeAll() -> [OutgoingBatch] {
        closeBatch()
        defer { ready.removeAll() }
        finishedCount += UInt64(ready.count)
        return Array(ready)
    }

    private mutating func closeBatch() {
        guard let batch = open else { return }
        ready.append(batch)
        open = nil
    }
}
