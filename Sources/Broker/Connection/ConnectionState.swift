import KafkaProtocol
import NIOCore

/// What one connection does next, decided from the bytes that came and the answers that are ready: no socket, no
/// clock. `ConnectionHandler` owns it on the connection's event loop and carries out what it says.
///
/// Requests are handed out in order. Those of order `.alone` wait until everything before them has been answered and
/// hold back everything behind them, as Kafka does for all requests; `.pipelined` ones (Produce) do not wait for one
/// another, so that one sync can serve many. Answers leave in the order of the requests either way.
struct ConnectionState: ~Copyable {
    enum Next {
        /// Serve this request and fill the slot with its answer.
        case serve(ByteBuffer, ResponseQueue.Slot)
        /// Nothing to do before more bytes arrive.
        case read
        /// Nothing to do before answers have left; do not read.
        case wait
        /// All answers that were owed have left: close.
        case close
        /// The peer broke the protocol: close at once and say why.
        case abort(ProtocolError)
    }

    private enum Phase {
        case open
        /// No more requests are handed out; the answers that are owed leave, then the connection closes.
        case draining
        case closed
    }

    private let limits: ConnectionLimits
    private let order: @Sendable (_ frame: ByteBuffer) -> RequestOrder
    private var phase = Phase.open
    private var reader = FrameReader()
    private var responses = ResponseQueue()
    /// A frame that waits for the answers before it.
    private var held: ByteBuffer?
    /// The request that must be answered before anything else is handed out.
    private var alone: ResponseQueue.Slot?
    private var hasServedValidRequest = false
    /// The bytes of requests that have been handed out and are unanswered.
    private var queuedBytes: [ResponseQueue.Slot: Int] = [:]
    private var queuedByteCount = 0

    init(limits: ConnectionLimits, order: @escaping @Sendable (_ frame: ByteBuffer) -> RequestOrder) {
        self.limits = limits
        self.order = order
    }

    mutating func receive(_ bytes: ByteBuffer) {
        if self.phase == .open { self.reader.receive(bytes) }
    }

    mutating func next() -> Next {
        switch self.phase {
        case .closed: return .wait
        case .draining: return self.responses.isEmpty ? .close : .wait
        case .open: break
        }
        if self.alone != nil || self.isFull { return .wait }
        let frame: ByteBuffer
        if let held = self.held {
            frame = held
        } else {
            do throws(ProtocolError) {
                let limit = self.hasServedValidRequest ? self.limits.frameBytes : self.limits.firstFrameBytes
                guard let whole = try self.reader.nextFrame(maximumBytes: limit) else { return .read }
                frame = whole
            } catch {
                self.phase = .closed
                return .abort(error)
            }
        }
        let order = self.order(frame)
        if order == .alone && !self.responses.isEmpty {
            self.held = frame
            return .wait
        }
        self.held = nil
        let slot = self.responses.open()
        if order == .alone { self.alone = slot }
        self.queuedBytes[slot] = frame.readableBytes
        self.queuedByteCount += frame.readableBytes
        return .serve(frame, slot)
    }

    /// The limit of unanswered requests that keeps the socket from being read.
    var reachedLimit: BrokerLimit? {
        if self.responses.count >= self.limits.queuedRequests { return .queuedRequests }
        return self.queuedByteCount >= self.limits.queuedBytes ? .queuedBytes : nil
    }

    /// The limit that an announced frame is beyond, if that is what the error is about.
    func frameLimit(exceededBy error: ProtocolError) -> BrokerLimit? {
        guard case .invalidFrameLength(let length, let maximum) = error.reason, length > maximum else { return nil }
        return self.hasServedValidRequest ? .frameBytes : .firstFrameBytes
    }

    /// Whether as much is unanswered as may be.
    private var isFull: Bool { self.reachedLimit != nil }

    /// Whether to read on. While a request that must be answered alone waits, one read more is taken, so that the
    /// end of the connection is noticed.
    var hasRoom: Bool {
        guard self.phase == .open, self.held == nil, !self.isFull else { return false }
        return self.alone == nil || self.reader.bufferedBytes == 0
    }

    /// Bytes of requests that are half arrived or unanswered.
    var heldBytes: Int { self.phase == .closed ? 0 : self.reader.bufferedBytes + self.queuedByteCount }

    /// Whether requests have been handed out whose answers have not left.
    var owesAnswers: Bool { !self.responses.isEmpty }

    /// The peer has shown that it speaks the protocol; from now on it may send large frames.
    mutating func requestWasValid() {
        self.hasServedValidRequest = true
    }

    mutating func fill(_ slot: ResponseQueue.Slot, with response: ByteBuffer?) {
        self.responses.fill(slot, with: response)
        self.queuedByteCount -= self.queuedBytes.removeValue(forKey: slot) ?? 0
        if self.alone == slot { self.alone = nil }
    }

    /// The next answer to write.
    mutating func takeResponse() -> ByteBuffer? {
        self.phase == .closed ? nil : self.responses.takeReady()
    }

    /// Answers what has been handed out, then closes.
    mutating func drain() {
        if self.phase == .open { self.phase = .draining }
        self.held = nil
        self.reader = FrameReader()
    }

    /// The socket is gone.
    /// - Returns: bytes of a frame that never became whole.
    mutating func closed() -> Int {
        let wasOpen = self.phase == .open
        self.phase = .closed
        defer {
            self.held = nil
            self.reader = FrameReader()
        }
        guard wasOpen else { return 0 }
        do throws(ProtocolError) {
            while try self.reader.nextFrame(maximumBytes: self.limits.frameBytes) != nil {}
        } catch {
            return 0
        }
        return self.reader.bufferedBytes
    }
}

/// Whether a request may be served while others of its connection are unanswered.
enum RequestOrder: Sendable {
    case pipelined
    case alone
}
