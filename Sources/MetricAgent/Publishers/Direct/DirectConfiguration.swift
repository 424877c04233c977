/// How a publisher without a broker queues and connects; the same for each of its destinations.
public struct DirectConfiguration: Sendable {
    /// Records that may wait for one destination. When there are more, the oldest are lost: what is newest says how
    /// things stand.
    public var queueRecords = 10_000
    /// Bytes of records that may wait for one destination.
    public var queueBytes = 16 << 20
    /// How long a connection may take to come up.
    public var connectTimeout = Duration.seconds(5)
    /// The first and the longest pause between attempts. Pauses double, with a jitter of ±20 %.
    public var retryPause = Duration.milliseconds(100)...(.seconds(5))
    /// Bytes in the kernel's send buffer of a connection. Small, since nobody knows what of it is lost with a subscriber
    /// that is killed.
    public var socketBufferBytes = 256 << 10

    public init() {}
}
