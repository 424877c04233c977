import NIOCore
import RecordBatch

/// Records that go out together, and who waits for them. Filled in a ``PartitionQueue``, then owned by the
/// partition's sending task.
struct OutgoingBatch: Sendable {
    enum Content: Sendable {
        /// To be encoded, and compressed, by the sending task.
        case records([TimedMessage])
        case encoded(EncodedBatch)
    }

    /// A message and its timestamp, in milliseconds.
    struct TimedMessage: Sendable {
        let message: ProducerMessage
        let timestamp: Int64
    }

    private(set) var content: Content
    /// What it counts towards the producer's limit.
    private(set) var bytes: Int
    let enqueuedAt: ContinuousClock.Instant
    /// One for each record, or one for a batch that came encoded.
    private var waiters: [OneShot<Offset>]

    init(enqueuedAt: ContinuousClock.Instant) {
        self.content = .records([])
        self.bytes = 0
        self.enqueuedAt = enqueuedAt
        self.waiters = []
    }

    init(_ batch: EncodedBatch, delivered: OneShot<Offset>, enqueuedAt: ContinuousClock.Instant) {
        self.content = .encoded(batch)
        self.bytes = batch.bytes.readableBytes
        self.enqueuedAt = enqueuedAt
        self.waiters = [delivered]
    }

    mutating func append(_ message: TimedMessage, bytes: Int, delivered: OneShot<Offset>) {
        guard case .records(var records) = content else { return }
        // So that the array is not copied.
        content = .records([])
        records.append(message)
        content = .records(records)
        self.bytes += bytes
        waiters.append(delivered)
    }

    /// Its records in two batches; nil for a single record, or a batch that came encoded.
    func halves() -> (OutgoingBatch, OutgoingBatch)? {
        guard case .records(let records) = content, records.count > 1 else { return nil }
        var halves = (OutgoingBatch(enqueuedAt: enqueuedAt), OutgoingBatch(enqueuedAt: enqueuedAt))
        let middle = records.count / 2
        halves.0.content = .records(Array(records[..<middle]))
        halves.0.waiters = Array(waiters[..<middle])
        halves.0.bytes = bytes / 2
        halves.1.content = .records(Array(records[middle...]))
        halves.1.waiters = Array(waiters[middle...])
        halves.1.bytes = bytes - bytes / 2
        return halves
    }

    /// Nobody waits for it any more: all the senders were cancelled.
    var isAbandoned: Bool { waiters.allSatisfy(\.isDone) }

    /// The batch in wire format.
    func encoded(compression: CompressionCodec) throws(KafkaClientError) -> EncodedBatch {
        switch content {
        case .encoded(let batch):
            return batch
        case .records(let records):
            var builder = RecordBatchBuilder(compression: compression, capacity: bytes)
            for record in records {
                builder.append(
                    timestamp: record.timestamp, key: record.message.key, value: record.message.value,
                    headers: record.message.headers)
            }
            do {
                return try builder.finish()
            } catch {
                throw .unencodable(request: "record batch", reason: "\(error)")
            }
        }
    }

    /// Tells the waiters. `baseOffset` is -1 if the broker did not say.
    func complete(_ result: Result<Offset, any Error>) {
        for (index, waiter) in waiters.enumerated() {
            waiter.complete(result.map { $0 < 0 ? $0 : $0.advanced(by: Int64(index)) })
        }
    }
}
