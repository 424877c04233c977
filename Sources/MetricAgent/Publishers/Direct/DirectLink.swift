internal import DequeModule
import KafkaClient
import NIOCore

/// One record as it goes over a direct link: header and text.
struct DirectFrame: Sendable, Equatable {
    let bytes: ByteBuffer
    let sampleCount: Int

    fileprivate var amount: DirectStatistics.Amount { .init(records: 1, samples: sampleCount) }
}

/// The logic of a direct link to one destination: what waits, what may be written, when to connect again, and what
/// became of every record. A value without sockets; `DirectConnection` carries out what it says, under its lock.
///
///                connect()                up()
///     waiting ──────────────► connecting ──────► up ──────► ending ─┐
///        ▲                        │ failed()      │ peerFinished()  │
///        └────────────────────────┴───────────────┴──── down() ─────┘        close(): over, from any
struct DirectLink {
    private enum State: Equatable {
        /// For the next attempt.
        case waiting
        case connecting
        case up
        /// The peer takes what is under way and no more.
        case ending
        /// Nothing is taken any more.
        case over
    }

    /// A connection that lived for less has not proved that the next one will.
    private static let proof = Duration.seconds(1)

    private let configuration: DirectConfiguration
    private var state = State.waiting
    private var queue: Deque<DirectFrame> = []
    private var queuedBytes = 0
    /// Given to the connection, and neither written nor failed.
    private var underWay = 0
    private var backoff: Backoff
    /// Whether the connection has room; it says so.
    private var isWritable = false
    /// Whether somebody is about to ask for what to write.
    private var isWriting = false
    private(set) var statistics: DirectStatistics

    init(to destination: BrokerAddress, configuration: DirectConfiguration) {
        self.configuration = configuration
        backoff = Backoff(configuration.retryPause)
        statistics = DirectStatistics(destination: destination)
    }

    // MARK: Records

    /// Takes a record in; the oldest go when there is no room.
    ///
    /// - Returns: true when nobody is writing and the record could be: the caller sees to it.
    mutating func offer(_ frame: DirectFrame) -> Bool {
        statistics.offered += frame.amount
        let bytes = frame.bytes.readableBytes
        guard state != .over else {
            lose(frame, .shutdown)
            return false
        }
        guard bytes <= configuration.queueBytes else {
            lose(frame, .queueFull)
            return false
        }
        while queue.count >= max(1, configuration.queueRecords) || queuedBytes + bytes > configuration.queueBytes,
            let oldest = dequeue()
        {
            statistics.waiting -= oldest.amount
            statistics.waitingBytes -= oldest.bytes.readableBytes
            lose(oldest, .queueFull)
        }
        queue.append(frame)
        queuedBytes += bytes
        statistics.waiting += frame.amount
        statistics.waitingBytes += bytes
        guard state == .up, isWritable, !isWriting else { return false }
        isWriting = true
        return true
    }

    /// What to write next: records of about `maximumBytes` in all, one at least. Empty when nothing may be written now;
    /// the next `offer` or `writable` begins anew then.
    mutating func next(maximumBytes: Int) -> [DirectFrame] {
        var frames: [DirectFrame] = []
        var bytes = 0
        while state == .up, isWritable, bytes < maximumBytes, let frame = dequeue() {
            bytes += frame.bytes.readableBytes
            frames.append(frame)
        }
        underWay += frames.count
        isWriting = !frames.isEmpty
        return frames
    }

    /// The kernel has all bytes of the record.
    mutating func written(_ frame: DirectFrame) -> Bool {
        leave(frame)
        statistics.sent += frame.amount
        statistics.sentBytes += frame.bytes.readableBytes
        return isDone
    }

    /// The connection ended before it had.
    mutating func failedToWrite(_ frame: DirectFrame) {
        leave(frame)
        lose(frame, .connectionLost)
    }

    // MARK: The connection

    /// - Returns: false when there is nothing to connect for any more.
    mutating func connect() -> Bool {
        guard state == .waiting else { return false }
        state = .connecting
        return true
    }

    /// The connection is there and has room.
    ///
    /// - Returns: false when it is not wanted any more.
    mutating func up() -> Bool {
        guard state == .connecting else { return false }
        state = .up
        statistics.isConnected = true
        statistics.connections += 1
        isWritable = true
        isWriting = true
        return true
    }

    /// - Returns: the pause before the next attempt; nil when there will be none.
    mutating func failed() -> Duration? {
        guard state == .connecting else { return nil }
        state = .waiting
        return backoff.next()
    }

    /// The connection has room, or has none.
    ///
    /// - Returns: true when the caller is to write.
    mutating func writable(_ isWritable: Bool) -> Bool {
        self.isWritable = isWritable
        guard isWritable, state == .up, !isWriting else { return false }
        isWriting = true
        return true
    }

    /// The peer has closed its half: it takes what is under way, and then the connection ends.
    ///
    /// - Returns: true when it can be closed at once.
    mutating func peerFinished() -> Bool {
        guard state == .up else { return false }
        state = .ending
        return isDone
    }

    /// The connection has ended; what was under way has failed before.
    ///
    /// - Returns: the pause before the next attempt; nil when there will be none.
    mutating func down(after lifetime: Duration) -> Duration? {
        statistics.isConnected = false
        isWritable = false
        isWriting = false
        guard state == .up || state == .ending else { return nil }
        state = .waiting
        if lifetime >= Self.proof { backoff.reset() }
        return backoff.next()
    }

    // MARK: The end

    /// Nothing is in the queue or under way.
    var isEmpty: Bool { queue.isEmpty && underWay == 0 }

    /// Takes nothing in any more; what waits is lost.
    mutating func close() {
        state = .over
        while let frame = dequeue() {
            statistics.waiting -= frame.amount
            statistics.waitingBytes -= frame.bytes.readableBytes
            lose(frame, .shutdown)
        }
    }

    private var isDone: Bool { state == .ending && underWay == 0 }

    private mutating func dequeue() -> DirectFrame? {
        guard let frame = queue.popFirst() else { return nil }
        queuedBytes -= frame.bytes.readableBytes
        return frame
    }

    private mutating func leave(_ frame: DirectFrame) {
        underWay -= 1
        statistics.waiting -= frame.amount
        statistics.waitingBytes -= frame.bytes.readableBytes
    }

    private mutating func lose(_ frame: DirectFrame, _ reason: DirectStatistics.Loss) {
        statistics.lost[reason, default: .init()] += frame.amount
    }
}
