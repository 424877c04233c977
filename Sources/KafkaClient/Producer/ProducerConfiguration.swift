public import RecordBatch

/// How a ``Producer`` gathers and sends records.
public struct ProducerConfiguration: Sendable {
    /// What a broker does before it answers.
    public enum Acknowledgement: Int16, Sendable {
        /// It does not answer at all: fast, and nothing is known of the records' fate.
        case none = 0
        /// The leader has appended the records.
        case leader = 1
        /// All in-sync replicas have them (on an embedded broker: they are on disk).
        case all = -1
    }

    /// What has to have happened before a record counts as sent.
    public var acks: Acknowledgement
    /// How long a record waits for others to share its batch. With `.zero` a batch holds what came while the one
    /// before it was under way, which is a good choice under load too.
    public var linger: Duration
    /// Bytes, before compression, at which a batch is full. A larger record is sent alone.
    public var batchBytes: Int
    /// Of whole batches; those that come encoded stay as they are.
    public var compression: CompressionCodec
    /// Give each batch a producer id and sequence number, so that a retry is never written twice. Needs `acks: .all`.
    public var idempotent: Bool
    /// How long a record may wait to be taken by the cluster; nil: until it is, or the sending task is cancelled.
    public var deliveryTimeout: Duration?
    /// Bytes of records that may wait; further senders are held back until there is room.
    public var maximumBufferedBytes: Int

    public init(
        acks: Acknowledgement = .all, linger: Duration = .zero, batchBytes: Int = 256 << 10,
        compression: CompressionCodec = .none, idempotent: Bool = true, deliveryTimeout: Duration? = nil,
        maximumBufferedBytes: Int = 32 << 20
    ) {
        self.acks = acks
        self.linger = linger
        self.batchBytes = batchBytes
        self.compression = compression
        self.idempotent = idempotent
        self.deliveryTimeout = deliveryTimeout
        self.maximumBufferedBytes = maximumBufferedBytes
    }

    var isIdempotent: Bool { idempotent && acks == .all }
}
