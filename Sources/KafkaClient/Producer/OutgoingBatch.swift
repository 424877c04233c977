import NIOCore
import RecordBatch

/// A batch that is complete and waits to be sent, or is being sent. Owned by its ``PartitionQueue``, then by the
/// partition's sending task.
struct OutgoingBatch: Sendable {
    /// Who waits for what: each gets the offset of its own record.
    struct Waiter: Sendable {
        let index: Int64
        let delivered: OneShot<Offset>
    }

    enum Content: Sendable {
        /// To be encoded (and compressed) by the sending task.
        case records(RecordBatchBuilder)
        case encoded(EncodedBatch)
    }

    var content: Content
    var waiters: [Waiter]
    let enqueuedAt: ContinuousClock.Instant
    /// What it counts towards the producer's limit.
    var reservedBytes: Int

    /// Nobody waits for it any more: all the senders were cancelled.
    var isAbandoned: Bool { waiters.allSatisfy(\.delivered.isDone) }

    /// The batch in wire format. Encodes it on first use.
    mutating func encoded() throws(KafkaClientError) -> EncodedBatch {
        switch content {
        case .encoded(let batch):
            return batch
        case .records(var builder):
            do {
                let batch = try builder.finish()
                content = .encoded(batch)
                return batch
            } catch {
                throw .unencodable(request: "record batch", reason: "\(error)")
            }
        }
    }

    /// Tells the waiters. `baseOffset` is -1 if the broker did not say.
    func complete(_ result: Result<Offset, any Error>) {
        for waiter in waiters {
            waiter.delivered.complete(result.map { $0.rawValue < 0 ? $0 : $0.advanced(by: waiter.index) })
        }
    }
}
