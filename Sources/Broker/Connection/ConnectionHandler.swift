import Instruments
import KafkaProtocol
import Logging
import NIOCore

/// Carries out what `ConnectionState` decides for one socket: reads when there is room, hands requests to
/// `APITable`, writes answers in order. Lives on the connection's event loop; everything it does is there.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let node: BrokerNode
    private var state: ConnectionState
    private var channelContext: ChannelHandlerContext?
    private var peer = PeerAddress(remote: nil, local: nil)
    /// Set while requests are handed out, so that an answer given at once does not hand out the next one inside.
    private var isServing = false
    private var hasUnflushedWrites = false
    /// When the peer last sent something, or was last answered.
    private var lastActivity = NIODeadline.now()
    /// What this connection has added to the broker's `requestBytes`.
    private var countedBytes = 0
    /// What this connection has added to the broker's `answerBytes`.
    private var countedAnswerBytes = 0
    /// How many bytes waited to leave, and since when about as many do.
    private var stall: (bytes: Int, since: NIODeadline)?
    /// NIO wanted to read while there was no room.
    private var hasHeldRead = false

    init(node: BrokerNode) {
        self.node = node
        self.state = ConnectionState(limits: node.configuration.limits.connection, order: APITable.order(of:))
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.channelContext = context
    }

    func channelActive(context: ChannelHandlerContext) {
        self.peer = PeerAddress(remote: context.channel.remoteAddress, local: context.channel.localAddress)
        self.lastActivity = self.node.clock.now()
        if let (limit, reason) = self.node.connections.opened(
            context.channel, from: self.peer.host, self.node.configuration.limits)
        {
            self.node.counters.reached(limit)
            return self.abort(reason)
        }
        self.node.counters.acceptedConnections.add(1)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        let lost = self.state.closed()
        self.countHeldBytes()
        self.countAnswerBytes(0)
        if lost > 0 {
            self.node.logger.info("\(self.peer.description) closed the connection \(lost) bytes into a frame")
        }
        self.node.connections.closed(context.channel, from: self.peer.host)
        self.channelContext = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.lastActivity = self.node.clock.now()
        self.state.receive(self.unwrapInboundIn(data))
        self.serve(context)
        if let reason = self.crowding {
            self.node.counters.reached(.requestBytes)
            self.abort(reason)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.serve(context) }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if self.state.hasRoom && context.channel.isWritable {
            context.read()
        } else {
            self.hasHeldRead = true
            if let limit = self.state.reachedLimit { self.node.counters.reached(limit) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset by the peer is everyday life; what it cost is told by channelInactive.
        self.node.logger.debug("connection of \(self.peer.description) failed: \(error)")
        context.close(promise: nil)
    }

    // MARK: Serving

    /// Stops taking requests; the connection closes once what was taken is answered.
    func drain() {
        self.state.drain()
        if let context = self.channelContext { self.serve(context) }
    }

    private func countHeldBytes() {
        let bytes = self.state.heldBytes
        guard bytes != self.countedBytes else { return }
        self.node.counters.requestBytes.add(bytes - self.countedBytes)
        self.countedBytes = bytes
    }

    private func countAnswerBytes(_ bytes: Int) {
        guard bytes != self.countedAnswerBytes else { return }
        self.node.counters.answerBytes.add(bytes - self.countedAnswerBytes)
        self.countedAnswerBytes = bytes
    }

    /// Bytes of answers that the peer has not taken; 0 while they are few.
    private func unsentBytes(_ context: ChannelHandlerContext) -> Int {
        guard !context.channel.isWritable else { return 0 }
        return (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// A peer that takes fewer bytes than this in the stall time has stalled.
    private static let leastProgress = 16 << 10

    /// Closes the connection if its peer takes next to nothing of what it is answered. Called again and again while memory
    /// for answers is short.
    func closeIfStalled() {
        guard let context = self.channelContext else { return }
        let unsent = self.unsentBytes(context)
        self.countAnswerBytes(unsent)
        let now = self.node.clock.now()
        guard let before = self.stall, unsent > 0, before.bytes - unsent < Self.leastProgress else {
            self.stall = unsent > 0 ? (unsent, now) : nil
            return
        }
        guard now - before.since >= self.node.configuration.limits.connection.stallTime else { return }
        self.node.counters.reached(.stallTime)
        self.abort(
            "it does not take the \(unsent) bytes that it asked for, and answers of all connections take too much memory"
        )
    }

    /// Why this connection may not hold as many bytes as it does: all have too many, and it has more than its share.
    private var crowding: String? {
        let limit = self.node.configuration.limits.requestBytes
        guard self.node.counters.requestBytes.value > limit,
            self.countedBytes > limit / max(1, self.node.connections.count)
        else { return nil }
        return "requests of all connections take more than the limit of \(limit) bytes (--max-request-memory), "
            + "\(self.countedBytes) of them its own"
    }

    /// Closes the connection if nothing has happened on it for long.
    func closeIfIdle() {
        let limit = self.node.configuration.limits.connection.idleTime
        guard let context = self.channelContext, !self.state.owesAnswers,
            self.node.clock.now() - self.lastActivity >= limit
        else { return }
        // Another look may come before the close is done; it is counted once.
        self.lastActivity = self.node.clock.now()
        self.node.counters.reached(.idleTime)
        self.node.logger.info("closed the connection of \(self.peer.description), which was idle")
        context.close(promise: nil)
    }

    /// A request has come to its end. Its connection may be gone by now.
    func finish(_ slot: ResponseQueue.Slot, _ outcome: ExchangeOutcome, _ measurement: RequestMeasurement) {
        self.lastActivity = self.node.clock.now()
        measurement.ended(outcome, at: self.lastActivity)
        switch outcome {
        case .answered(let response): self.state.fill(slot, with: response)
        case .silent: self.state.fill(slot, with: nil)
        case .hungUp(let reason): if self.channelContext != nil { self.abort(reason) }
        }
        if !self.isServing, let context = self.channelContext { self.serve(context) }
    }

    private func serve(_ context: ChannelHandlerContext) {
        guard !self.isServing else { return }
        self.isServing = true
        self.writeReady(context)
        loop: while context.channel.isWritable {
            switch self.state.next() {
            case .serve(let frame, let slot):
                self.dispatch(frame, slot, context)
                self.writeReady(context)
            case .read, .wait:
                break loop
            case .close:
                self.flush(context)
                context.close(promise: nil)
                break loop
            case .abort(let error):
                self.flush(context)
                self.node.counters.unreadableRequests.add(1)
                if let limit = self.state.frameLimit(exceededBy: error) { self.node.counters.reached(limit) }
                self.abort("it sent no frame of the protocol: \(error)" + (error.hint.map { "; \($0)" } ?? ""))
                break loop
            }
        }
        self.isServing = false
        self.countHeldBytes()
        self.flush(context)
        self.countAnswerBytes(self.unsentBytes(context))
        if self.hasHeldRead && self.state.hasRoom && context.channel.isWritable {
            self.hasHeldRead = false
            context.read()
        }
    }

    private func dispatch(_ frame: ByteBuffer, _ slot: ResponseQueue.Slot, _ context: ChannelHandlerContext) {
        // It is being handed out right after something came or went, so that is the time now.
        let arrival = RequestArrival(
            node: self.node, peer: self.peer, slot: slot,
            connection: NIOLoopBound(self, eventLoop: context.eventLoop), time: self.lastActivity)
        do throws(ProtocolError) {
            try APITable.serve(frame, arrival)
            self.state.requestWasValid()
        } catch {
            self.node.counters.unreadableRequests.add(1)
            if case .tooManyElements = error.reason { self.node.counters.reached(.requestElements) }
            self.abort("it sent a request of \(frame.readableBytes) bytes that cannot be read: \(error)")
        }
    }

    private func abort(_ reason: String) {
        self.node.logger.warning("closed the connection of \(self.peer.description): \(reason)")
        _ = self.state.closed()
        self.countHeldBytes()
        self.channelContext?.close(promise: nil)
    }

    private func writeReady(_ context: ChannelHandlerContext) {
        while let response = self.state.takeResponse() {
            context.write(self.wrapOutboundOut(response), promise: nil)
            self.hasUnflushedWrites = true
        }
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard self.hasUnflushedWrites else { return }
        self.hasUnflushedWrites = false
        context.flush()
    }
}
