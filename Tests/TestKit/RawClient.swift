public import KafkaProtocol
public import NIOCore
import NIOPosix
import Synchronization

/// A client without manners: sends whatever bytes a test wants, and takes answers as they come. Requests can be
/// written with `KafkaProtocol`'s messages, or byte by byte. Any task may use it; one at a time waits for answers.
public final class RawClient: Sendable {
    private let channel: any Channel
    private let inbox: Inbox
    private let correlation = Atomic<Int32>(0)

    private init(channel: any Channel, inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    deinit { channel.close(promise: nil) }

    /// - Parameter reads: false for a peer that takes nothing of what it is sent.
    public static func connect(
        host: String = "127.0.0.1", port: Int, reads: Bool = true
    ) async throws -> RawClient {
        let inbox = Inbox()
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if !reads {
            bootstrap = bootstrap.channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 4096)
        }
        let channel =
            try await bootstrap
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(InboxHandler(inbox: inbox))
                }
            }
            .connect(host: host, port: port).get()
        return RawClient(channel: channel, inbox: inbox)
    }

    /// The client's own `host:port`, as the server's log lines name it.
    public var address: String {
        "\(channel.localAddress?.ipAddress ?? ""):\(channel.localAddress?.port ?? 0)"
    }

    // MARK: Sending

    public func send(_ bytes: ByteBuffer) async throws {
        try await channel.writeAndFlush(bytes)
    }

    public func send(bytes: [UInt8]) async throws {
        try await send(ByteBuffer(bytes: bytes))
    }

    /// Sends a request as a frame.
    ///
    /// - Returns: its correlation id.
    @discardableResult
    public func send<Request: KafkaRequest>(
        _ request: Request, version: Int16 = Request.supportedVersions.upperBound, clientID: String? = "raw"
    ) async throws -> Int32 {
        let id = correlation.wrappingAdd(1, ordering: .relaxed).newValue
        var frame = ByteBuffer()
        try request.writeFrame(into: &frame, version: version, correlationID: id, clientID: clientID)
        try await send(frame)
        return id
    }

    // MARK: Receiving

    /// The content of the next frame.
    public func frame(within deadline: Duration = .seconds(20)) async throws -> ByteBuffer {
        guard let frame = try await inbox.next(within: deadline, on: channel.eventLoop) else {
            throw TestKitError.process("the server closed the connection instead of answering")
        }
        return frame
    }

    /// Waits until the server has closed the connection; answers that come before are dropped.
    public func closedByServer(within deadline: Duration = .seconds(20)) async throws {
        while try await inbox.next(within: deadline, on: channel.eventLoop) != nil {}
    }

    /// Whether a frame is there, or the connection closed, without waiting.
    public var hasNews: Bool { inbox.hasNews }

    /// The next answer, which must be to a request of this type and version.
    public func answer<Request: KafkaRequest>(
        to request: Request.Type, version: Int16 = Request.supportedVersions.upperBound,
        within deadline: Duration = .seconds(20)
    ) async throws -> (correlationID: Int32, response: Request.Response) {
        let (header, response) = try Request.Response.decode(frame: try await frame(within: deadline), version: version)
        return (header.correlationID, response)
    }

    /// Sends a request and waits for its answer.
    public func ask<Request: KafkaRequest>(
        _ request: Request, version: Int16 = Request.supportedVersions.upperBound, clientID: String? = "raw",
        within deadline: Duration = .seconds(20)
    ) async throws -> Request.Response {
        let id = try await send(request, version: version, clientID: clientID)
        let (answered, response) = try await answer(to: Request.self, version: version, within: deadline)
        guard answered == id else { throw TestKitError.process("answer \(answered) came for request \(id)") }
        return response
    }

    public func close() async {
        try? await channel.close()
    }
}

/// Cuts what arrives into frames.
private final class InboxHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let inbox: Inbox
    private var buffered = ByteBuffer()

    init(inbox: Inbox) {
        self.inbox = inbox
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        buffered.writeBuffer(&bytes)
        while let frame = try? Frame.next(from: &buffered, maximumBytes: Int(Int32.max)) { inbox.put(frame) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        inbox.end()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Frames that have come, and the task that waits for the next one.
private final class Inbox: Sendable {
    private struct State {
        var frames: [ByteBuffer] = []
        var isEnded = false
        var waiter: CheckedContinuation<ByteBuffer?, any Error>?

        mutating func takeWaiter() -> CheckedContinuation<ByteBuffer?, any Error>? {
            defer { waiter = nil }
            return waiter
        }
    }

    private let state = Mutex(State())

    var hasNews: Bool { state.withLock { !$0.frames.isEmpty || $0.isEnded } }

    func put(_ frame: ByteBuffer) {
        let waiter = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
            if state.waiter == nil { state.frames.append(frame) }
            return state.takeWaiter()
        }
        waiter?.resume(returning: frame)
    }

    func end() {
        let waiter = state.withLock { state in
            state.isEnded = true
            return state.takeWaiter()
        }
        waiter?.resume(returning: nil)
    }

    /// Nil once the connection is closed and all frames are taken.
    func next(within deadline: Duration, on eventLoop: any EventLoop) async throws -> ByteBuffer? {
        let timeout = eventLoop.scheduleTask(in: TimeAmount(deadline)) {
            let waiter = self.state.withLock { $0.takeWaiter() }
            waiter?.resume(throwing: TestKitError.deadline("an answer, or the end of the connection"))
        }
        defer { timeout.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            let ready = state.withLock { state -> ByteBuffer?? in
                if !state.frames.isEmpty { return .some(state.frames.removeFirst()) }
                if state.isEnded { return .some(nil) }
                state.waiter = continuation
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}
