import KafkaProtocol
import NIOCore

/// Interprets ``ConnectionStateMachine`` on a channel: writes requests, completes them with their answers, times them
/// out.
///
/// Owned by the channel's pipeline; used on its event loop only.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Completion = OneShot<ByteBuffer>

    private let address: BrokerAddress
    private var machine: ConnectionStateMachine<Completion>
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var timerDeadline = NIODeadline.distantFuture

    init(address: BrokerAddress) {
        self.address = address
        self.machine = ConnectionStateMachine(address: address)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(.connectionLost(address, reason: "it was closed"))
        self.context = nil
    }

    /// Sends one request; `completion` gets its answer (an empty buffer at once if it expects none) or an error.
    func send(_ frame: ByteBuffer, name: String, expectsAnswer: Bool, timeout: Duration, completion: Completion) {
        guard !completion.isDone else { return }
        let action = machine.send(
            frame, name: name, expectsAnswer: expectsAnswer, timeout: timeout, now: context?.eventLoop.now ?? .now(),
            completion: completion)
        switch action {
        case .write(let frame):
            write(frame)
            scheduleTimer()
        case .writeUnanswered(let frame, let completion):
            write(frame)
            completion.complete(.success(ByteBuffer()))
        case .fail(let completion, let error):
            completion.complete(.failure(error))
        }
    }

    /// Fails what is pending with `error` and closes the channel.
    func close(_ error: KafkaClientError) {
        end(error)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch machine.received(unwrapInboundIn(data)) {
        case .answer(let completion, let frame):
            completion.complete(.success(frame))
        case .close(let failed):
            end(failed)
        case .ignore:
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.connectionLost(address, reason: "the broker closed it"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? ProtocolError {
            end(.malformedAnswer(address, request: "a request", reason: "\(error)"))
        } else {
            end(.connectionLost(address, reason: ConnectFailure.text(of: error)))
        }
    }

    private func write(_ frame: ByteBuffer) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    /// One timer for the earliest deadline, not one for each request.
    private func scheduleTimer() {
        guard let context, let deadline = machine.nextDeadline, deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) { handler.value.expire() }
    }

    private func expire() {
        timer = nil
        timerDeadline = .distantFuture
        if let failed = machine.expire(now: context?.eventLoop.now ?? .now()) {
            end(failed)
        } else {
            scheduleTimer()
        }
    }

    private func end(_ error: KafkaClientError) {
        end(machine.fail(error))
    }

    /// Closes the channel first, so that whoever hears of the failure and tries again finds it closed.
    private func end(_ failed: [(Completion, KafkaClientError)]) {
        timer?.cancel()
        timer = nil
        context?.close(promise: nil)
        for (completion, error) in failed { completion.complete(.failure(error)) }
    }
}
