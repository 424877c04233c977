import KafkaProtocol
import RecordBatch

/// Where each of a consumer's partitions is being read, and which can be asked for now.
///
/// A pure value behind the lock of its ``Fetcher``. What is known of leaders is in `FetchPositions+Leaders.swift`.
struct FetchPositions: Sendable {
    /// A partition to ask for.
    struct Wanted: Equatable, Sendable {
        let partition: TopicPartition
        let offset: Offset
        let maximumBytes: Int
        /// The epoch of the leader that is asked; -1 if it is not known.
        var leaderEpoch: Int32 = -1
        /// The position's number; an answer to a question of another number is of no use.
        var number: UInt64 = 0
    }

    /// Where reading goes on.
    enum Place: Equatable, Sendable {
        /// Where the group has committed, which is still to be asked.
        case committed
        /// Where the reset policy says, still to be asked.
        case reset
        /// At the oldest record, still to be asked: of a topic that was created anew.
        case beginning
        case at(Offset)
    }

    struct Position: Sendable {
        var place: Place
        /// The leader epoch of the last batch before `place`; -1 if it is not known.
        var epoch: Int32 = -1
        /// The epoch of the leader whose log is known to hold what was read.
        var validatedEpoch: Int32 = -1
        /// The leader's epoch as the metadata has it; -1 if it is not known.
        var leaderEpoch: Int32 = -1
        var topicID: TopicID?
        var isPaused = false
        /// Left alone until then, after an error.
        var retryAt: ContinuousClock.Instant?
        var backoff: Backoff
        /// How often the batch at `place` came damaged.
        var damageCount = 0
        var maximumBytes: Int
        /// Another one after each change that was not made by an answer.
        var number: UInt64
    }

    var positions: [TopicPartition: Position] = [:]
    /// The order of asking; it turns, so that a busy partition does not starve those behind it.
    private var order: [TopicPartition] = []
    private var lastNumber: UInt64 = 0
    private let maximumBytes: Int
    private let backoff: ClosedRange<Duration>
    /// What `positions` was last compared with.
    var metadataRevision: UInt64 = 0

    init(maximumBytes: Int, backoff: ClosedRange<Duration>) {
        self.maximumBytes = maximumBytes
        self.backoff = backoff
    }

    // MARK: What is read

    /// Sorted.
    var partitions: [TopicPartition] { positions.keys.sorted() }
    var topics: Set<TopicName> { Set(positions.keys.map(\.topic)) }
    var isEmpty: Bool { positions.isEmpty }

    /// Adds partitions; those without a start begin at `fallback`.
    mutating func assign(
        _ partitions: [TopicPartition], starts: [TopicPartition: Offset], fallback: Place = .committed
    ) {
        for partition in partitions.sorted() where positions[partition] == nil {
            order.append(partition)
            positions[partition] = Position(
                place: starts[partition].map(Place.at) ?? fallback, backoff: Backoff(backoff),
                maximumBytes: maximumBytes, number: newNumber())
        }
        metadataRevision = 0
    }

    mutating func remove(_ partitions: some Sequence<TopicPartition>) {
        for partition in partitions { positions[partition] = nil }
        order.removeAll { positions[$0] == nil }
    }

    /// Stops asking. Goes back to `offset`, if given: what was fetched from there on has not been handed out.
    mutating func pause(_ partition: TopicPartition, backTo offset: Offset?) {
        guard positions[partition] != nil else { return }
        let number = newNumber()
        positions[partition]?.isPaused = true
        positions[partition]?.number = number
        if let offset { positions[partition]?.place = .at(offset) }
    }

    mutating func resume(_ partition: TopicPartition) {
        positions[partition]?.isPaused = false
    }

    /// The paused ones, sorted.
    var paused: [TopicPartition] { positions.filter(\.value.isPaused).keys.sorted() }

    /// Goes on somewhere else. False if the partition is not being read.
    mutating func seek(_ partition: TopicPartition, to offset: Offset) -> Bool {
        guard positions[partition] != nil else { return false }
        settle(partition, at: .at(offset))
        let number = newNumber()
        positions[partition]?.number = number
        // What is behind the new place, nobody knows.
        positions[partition]?.epoch = -1
        return true
    }

    private mutating func newNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    // MARK: Asking

    /// The partitions to ask one broker for now.
    mutating func due(now: ContinuousClock.Instant, where isLed: (TopicPartition) -> Bool) -> [Wanted] {
        let wanted = order.compactMap { partition -> Wanted? in
            guard let position = positions[partition], case .at(let offset) = position.place,
                !position.isPaused, !position.needsValidation, isLed(partition)
            else { return nil }
            if let retryAt = position.retryAt, retryAt > now { return nil }
            return Wanted(
                partition: partition, offset: offset, maximumBytes: position.maximumBytes,
                leaderEpoch: position.leaderEpoch, number: position.number)
        }
        if !order.isEmpty { order.append(order.removeFirst()) }
        return wanted
    }

    /// When the next partition of one broker that was left alone is due; nil if none is waiting.
    func nextRetry(where isLed: (TopicPartition) -> Bool) -> ContinuousClock.Instant? {
        positions.compactMap { partition, position in
            !position.isPaused && isLed(partition) ? position.retryAt : nil
        }.min()
    }

    /// The partitions whose place has to be asked for first, with their numbers. Those left alone are not among them.
    func unresolved(_ place: Place, now: ContinuousClock.Instant) -> [TopicPartition: UInt64] {
        positions.filter { _, position in
            position.place == place && !position.isPaused && (position.retryAt ?? now) <= now
        }.mapValues(\.number)
    }

    // MARK: Answers

    /// Fetched up to `offset`, from a leader of this epoch. False if the answer is of no use: another broker, the
    /// leader before or after, has answered meanwhile, or reading goes on somewhere else.
    mutating func advance(_ wanted: Wanted, to offset: Offset, epoch: Int32) -> Bool {
        guard let position = positions[wanted.partition], position.number == wanted.number,
            position.place == .at(wanted.offset)
        else { return false }
        settle(wanted.partition, at: .at(offset))
        if epoch >= 0 { positions[wanted.partition]?.epoch = epoch }
        // What a leader has sent is in its log.
        positions[wanted.partition]?.validatedEpoch = max(position.validatedEpoch, wanted.leaderEpoch)
        return true
    }

    /// The place was asked for, and is this. Nothing happens if reading has gone on somewhere else.
    mutating func resolve(_ partition: TopicPartition, number: UInt64, to place: Place) {
        guard let position = positions[partition], position.number == number else { return }
        if case .at = position.place { return }
        settle(partition, at: place)
    }

    /// The place has to be asked for anew.
    mutating func lose(_ partition: TopicPartition, number: UInt64, to place: Place = .reset) {
        guard positions[partition]?.number == number else { return }
        settle(partition, at: place)
        positions[partition]?.epoch = -1
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

    /// Goes on behind a damaged batch. The next one, if it is damaged too, has not been tried yet.
    mutating func skip(_ wanted: Wanted, to offset: Offset) -> Bool {
        advance(wanted, to: offset, epoch: -1)
    }

    /// The next batch is larger than what was asked for (brokers before Kafka 0.10.1 then send half of it).
    mutating func enlarge(_ partition: TopicPartition) {
        guard let bytes = positions[partition]?.maximumBytes else { return }
        positions[partition]?.maximumBytes = min(bytes * 2, 1 << 30)
    }

    mutating func settle(_ partition: TopicPartition, at place: Place) {
        positions[partition]?.place = place
        positions[partition]?.retryAt = nil
        positions[partition]?.backoff.reset()
        positions[partition]?.damageCount = 0
    }
}
