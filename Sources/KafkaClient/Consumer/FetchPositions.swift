import KafkaProtocol
import RecordBatch

/// Where each partition of an assignment is being read, and which can be asked for now.
///
/// A pure value behind the lock of its ``Fetcher``.
struct FetchPositions: Sendable {
    /// A partition to ask for.
    struct Wanted: Equatable, Sendable {
        let partition: TopicPartition
        let offset: Offset
        let maximumBytes: Int
    }

    private struct Position {
        /// The next offset to fetch; nil while it has to be looked up.
        var offset: Offset?
        /// Left alone until then, after an error.
        var retryAt: ContinuousClock.Instant?
        var backoff: Backoff
        /// How often the batch at `offset` came damaged.
        var damageCount = 0
        var maximumBytes: Int
    }

    private var positions: [TopicPartition: Position] = [:]
    /// The order of asking; it turns, so that a busy partition does not starve those behind it.
    private var order: [TopicPartition]

    init(
        partitions: [TopicPartition], starts: [TopicPartition: Offset], maximumBytes: Int,
        backoff: ClosedRange<Duration>
    ) {
        order = partitions.sorted()
        for partition in partitions {
            positions[partition] = Position(
                offset: starts[partition], backoff: Backoff(backoff), maximumBytes: maximumBytes)
        }
    }

    /// Those that have no offset yet.
    var unresolved: [TopicPartition] { order.filter { positions[$0]?.offset == nil } }

    /// The partitions to ask one broker for now.
    mutating func due(now: ContinuousClock.Instant, where isLed: (TopicPartition) -> Bool) -> [Wanted] {
        let wanted = order.compactMap { partition -> Wanted? in
            guard let position = positions[partition], let offset = position.offset, isLed(partition) else {
                return nil
            }
            if let retryAt = position.retryAt, retryAt > now { return nil }
            return Wanted(partition: partition, offset: offset, maximumBytes: position.maximumBytes)
        }
        if !order.isEmpty { order.append(order.removeFirst()) }
        return wanted
    }

    /// When the next partition of one broker that was left alone is due; nil if none is waiting.
    func nextRetry(where isLed: (TopicPartition) -> Bool) -> ContinuousClock.Instant? {
        positions.compactMap { partition, position in
            position.offset != nil && isLed(partition) ? position.retryAt : nil
        }.min()
    }

    /// Fetched up to here. False if it was not to be fetched from `old`: another broker, the leader before or after,
    /// has answered meanwhile.
    mutating func advance(_ partition: TopicPartition, from old: Offset, to offset: Offset) -> Bool {
        guard positions[partition]?.offset == old else { return false }
        move(partition, to: offset)
        return true
    }

    /// Looked up.
    mutating func move(_ partition: TopicPartition, to offset: Offset) {
        positions[partition]?.offset = offset
        positions[partition]?.retryAt = nil
        positions[partition]?.backoff.reset()
        positions[partition]?.damageCount = 0
    }

    /// The offset has to be looked up anew.
    mutating func lose(_ partition: TopicPartition) {
        positions[partition]?.offset = nil
    }

    /// Leaves the partition alone for a while.
    mutating func postpone(_ partition: TopicPartition, now: ContinuousClock.Instant) {
        guard let pause = positions[partition]?.backoff.next() else { return }
        positions[partition]?.retryAt = now + pause
    }

    /// Counts a damaged batch; returns how many there were in a row.
    mutating func countDamage(_ partition: TopicPartition) -> Int {
        positions[partition]?.damageCount += 1
        return positions[partition]?.damageCount ?? 0
    }

    /// The next batch is larger than what was asked for (brokers before Kafka 0.10.1 then send half of it).
    mutating func enlarge(_ partition: TopicPartition) {
        guard let bytes = positions[partition]?.maximumBytes else { return }
        positions[partition]?.maximumBytes = min(bytes * 2, 1 << 30)
    }
}
