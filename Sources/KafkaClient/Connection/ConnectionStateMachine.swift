import DequeModule
import NIOCore

/// One connection's requests on their way: what was sent and waits for its answer.
///
/// A pure value, owned by ``ConnectionHandler`` and driven on its event loop; each method says what to do next.
/// `Completion` is whatever the owner hands an answer to. After the first failure nothing is pending and every later
/// request fails with the same error.
struct ConnectionStateMachine<Completion>: ~Copyable {
    /// A request that has been written and not been answered.
    private struct Pending {
        let correlationID: Int32
        let name: String
        let timeout: Duration
        let deadline: NIODeadline
        let completion: Completion
    }

    enum SendAction {
        /// Write the frame; its correlation id is filled in.
        case write(ByteBuffer)
        /// Write the frame, and tell the completion that no answer will come.
        case writeUnanswered(ByteBuffer, Completion)
        case fail(Completion, KafkaClientError)
    }

    enum ReceiveAction {
        case answer(Completion, ByteBuffer)
        /// Close the connection; these requests have failed.
        case close([(Completion, KafkaClientError)])
        case ignore
    }

    private let address: BrokerAddress
    private var pending: Deque<Pending> = []
    private var lastCorrelationID: Int32 = 0
    private var failure: KafkaClientError?

    init(address: BrokerAddress) {
        self.address = address
    }

    /// How many requests wait for an answer.
    var pendingCount: Int { pending.count }

    /// When the next request times out.
    var nextDeadline: NIODeadline? { pending.lazy.map(\.deadline).min() }

    /// Takes one request. `frame` is complete except for the correlation id.
    mutating func send(
        _ frame: ByteBuffer, name: String, expectsAnswer: Bool, timeout: Duration, now: NIODeadline,
        completion: Completion
    ) -> SendAction {
        if let failure { return .fail(completion, failure) }
        lastCorrelationID = lastCorrelationID == .max ? 1 : lastCorrelationID + 1
        var frame = frame
        RequestEncoding.setCorrelationID(lastCorrelationID, in: &frame)
        guard expectsAnswer else { return .writeUnanswered(frame, completion) }
        pending.append(
            Pending(
                correlationID: lastCorrelationID, name: name, timeout: timeout, deadline: now + TimeAmount(timeout),
                completion: completion))
        return .write(frame)
    }

    /// Takes one answer, without its length: the correlation id comes first.
    mutating func received(_ frame: ByteBuffer) -> ReceiveAction {
        guard failure == nil else { return .ignore }
        guard let id = frame.getInteger(at: frame.readerIndex, as: Int32.self) else {
            return .close(fail(.malformedAnswer(address, request: oldestName, reason: "it is shorter than its header")))
        }
        // Brokers answer in order, so it is the first; looking further costs nothing when it is.
        guard let index = pending.firstIndex(where: { $0.correlationID == id }) else {
            let reason = "correlation id \(id) belongs to no request"
            return .close(fail(.malformedAnswer(address, request: oldestName, reason: reason)))
        }
        return .answer(pending.remove(at: index).completion, frame)
    }

    /// The connection must be closed if a request is overdue: the answers behind it will not come either.
    mutating func expire(now: NIODeadline) -> [(Completion, KafkaClientError)]? {
        guard failure == nil, let overdue = pending.first(where: { $0.deadline <= now }) else { return nil }
        let error = KafkaClientError.timedOut(address, request: overdue.name, after: overdue.timeout)
        let lost = KafkaClientError.connectionLost(address, reason: "\(overdue.name) was not answered in time")
        failure = lost
        defer { pending.removeAll() }
        return pending.map { ($0.completion, $0.deadline <= now ? error : lost) }
    }

    /// The connection ended. All pending requests fail with `error`; so will later ones.
    mutating func fail(_ error: KafkaClientError) -> [(Completion, KafkaClientError)] {
        if failure == nil { failure = error }
        defer { pending.removeAll() }
        return pending.map { ($0.completion, error) }
    }

    private var oldestName: String { pending.first?.name ?? "no request" }
}

extension TimeAmount {
    /// Rounded to nanoseconds, and cut to what fits.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let bounded = min(max(seconds, -1_000_000_000), 1_000_000_000)
        self = .nanoseconds(bounded * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
