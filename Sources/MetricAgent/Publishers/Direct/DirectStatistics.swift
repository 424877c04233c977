public import KafkaClient

/// What became of the records for one destination of a direct publisher. At any moment
/// `offered = sent + waiting + lost`, in records and in samples.
public struct DirectStatistics: Sendable, Equatable {
    /// Records with their samples.
    public struct Amount: Sendable, Equatable {
        public var records = 0
        public var samples = 0

        public init(records: Int = 0, samples: Int = 0) {
            self.records = records
            self.samples = samples
        }

        static func += (sum: inout Amount, other: Amount) {
            sum.records += other.records
            sum.samples += other.samples
        }

        static func -= (sum: inout Amount, other: Amount) {
            sum.records -= other.records
            sum.samples -= other.samples
        }
    }

    /// Why records did not leave this process.
    public enum Loss: String, CaseIterable, Sendable {
        /// They were the oldest in a full queue.
        case queueFull = "queue_full"
        /// The connection ended before the kernel had taken all their bytes.
        case connectionLost = "connection_lost"
        /// They waited when the publisher was stopped.
        case shutdown
    }

    public var destination: BrokerAddress
    public var isConnected = false
    /// Connections that have come up so far.
    public var connections = 0
    /// Taken into the queue or lost at its door.
    public var offered = Amount()
    /// Taken by the kernel with all their bytes. What the subscriber does with them is not known here.
    public var sent = Amount()
    public var sentBytes = 0
    /// In the queue, or given to the connection and not taken by the kernel yet.
    public var waiting = Amount()
    public var waitingBytes = 0
    public var lost: [Loss: Amount] = [:]

    public init(destination: BrokerAddress) {
        self.destination = destination
    }

    public func lost(_ reason: Loss) -> Amount { lost[reason] ?? Amount() }

    /// Of all reasons together.
    public var lostInAll: Amount { lost.values.reduce(into: Amount()) { $0 += $1 } }
}
