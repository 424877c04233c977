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

    private let configuration: ProducerConfiguration
    private var ready: Deque<OutgoingBatch> = []
    private var builder: RecordBatchBuilder?
    private var open: OutgoingBatch?
    /// Batches taken in and batches finished, ever; so a flush knows when what it waits for is done.
    private(set) var enqueuedCount: UInt64 = 0
    private(set) var finishedCount: UInt64 = 0
    /// Batches up to this one are wanted without lingering.
    private var flushCount: UInt64 = 0

    init(configuration: ProducerConfiguration) {
        self.configuration = configuration
    }

    var hasOpenBatch: Bool { open != nil }

    /// Adds one record to the open batch; opens one if there is none or it would grow too large.
    mutating func append(
        _ message: ProducerMessage, timestamp: Int64, bytes: Int, delivered: OneShot<Offset>,
        now: ContinuousClock.Instant
    ) {
        if let builder, builder.estimatedBytes + bytes > configuration.batchBytes { closeBatch() }
        var builder = self.builder ?? RecordBatchBuilder(compression: configuration.compression)
        self.builder = nil
        if open == nil {
            enqueuedCount += 1
            open = OutgoingBatch(content: .records(builder), waiters: [], enqueuedAt: now, reservedBytes: 0)
        }
        open?.waiters.append(OutgoingBatch.Waiter(index: Int64(builder.count), delivered: delivered))
        open?.reservedBytes += bytes
        builder.append(timestamp: timestamp, key: message.key, value: message.value, headers: message.headers)
        let isFull = builder.estimatedBytes >= configuration.batchBytes
        self.builder = builder
        if isFull { closeBatch() }
    }

    /// Adds a batch as it is, behind everything that came before.
    mutating func append(_ batch: EncodedBatch, delivered: OneShot<Offset>, now: ContinuousClock.Instant) {
        closeBatch()
        enqueuedCount += 1
        ready.append(
            OutgoingBatch(
                content: .encoded(batch), waiters: [OutgoingBatch.Waiter(index: 0, delivered: delivered)],
                enqueuedAt: now, reservedBytes: batch.bytes.readableBytes))
    }

    /// The next batch to send. The open one is taken when it has lingered long enough, or a flush asks for it.
    mutating func next(now: ContinuousClock.Instant) -> Next {
        if ready.isEmpty, let open {
            let due = open.enqueuedAt + configuration.linger
            if due > now && flushCount < enqueuedCount { return .lingers(until: due) }
            closeBatch()
        }
        return ready.popFirst().map(Next.batch) ?? .nothing
    }

    /// The batch that `next` gave is done with.
    mutating func finish() {
        finishedCount += 1
    }

    /// Lets nothing that is here now linger. Returns the count to wait for.
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
        guard var batch = open, let builder else { return }
        batch.content = .records(builder)
        ready.append(batch)
        open = nil
        self.builder = nil
    }
}
