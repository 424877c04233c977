import KafkaClient
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A direct link to one destination: carries out what ``DirectLink`` says. Owned by the ``DirectPublisher``; records are
/// offered on any thread, everything else happens on one event loop.
final class DirectConnection: Sendable {
    /// Given to the connection at once. More is asked for when it has gone to the kernel.
    private static let chunkBytes = 64 << 10

    private let destination: BrokerAddress
    private let configuration: DirectConfiguration
    private let link: Mutex<DirectLink>
    private let traffic: ConnectionTraffic
    private let eventLoop: any EventLoop
    private let channel: NIOLoopBoundBox<(any Channel)?>
    private let outage: Complaint

    init(
        to destination: BrokerAddress, configuration: DirectConfiguration, traffic: ConnectionTraffic, logger: Logger
    ) {
        self.destination = destination
        self.configuration = configuration
        self.traffic = traffic
        link = Mutex(DirectLink(to: destination, configuration: configuration))
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        channel = NIOLoopBoundBox.makeEmptyBox(valueType: (any Channel).self, eventLoop: eventLoop)
        outage = Complaint(logger)
    }

    var statistics: DirectStatistics { link.withLock { $0.statistics } }

    /// Nothing waits, and nothing is under way.
    var isEmpty: Bool { link.withLock { $0.isEmpty } }

    func offer(_ frame: DirectFrame) {
        if link.withLock({ $0.offer(frame) }) { eventLoop.execute { self.write() } }
    }

    /// Begins to connect; it goes on doing so until `close`.
    func start() {
        eventLoop.execute { self.connect() }
    }

    /// Ends the connection; what waits is lost.
    func close() async {
        link.withLock { $0.close() }
        try? await eventLoop.submit { self.channel.value }.flatMap { channel in
            channel?.close() ?? self.eventLoop.makeSucceededVoidFuture()
        }.get()
    }

    // MARK: On the event loop

    private func connect() {
        guard link.withLock({ $0.connect() }) else { return }
        let timeout = configuration.connectTimeout.components
        ClientBootstrap(group: eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_sndbuf), value: .init(configuration.socketBufferBytes))
            // The subscriber ends a link by closing its half, and takes what is under way.
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connectTimeout(.nanoseconds(timeout.seconds * 1_000_000_000 + timeout.attoseconds / 1_000_000_000))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        TrafficHandler(self.traffic), DirectLinkHandler(connection: self),
                    ])
                }
            }
            .connect(host: destination.host, port: destination.port)
            .whenFailure { error in
                self.outage.raise(
                    "cannot reach the subscriber \(self.destination): \(ConnectFailure.text(of: error)); "
                        + "samples wait in the queue, the oldest are lost when it is full; trying again")
                self.connect(after: self.link.withLock { $0.failed() })
            }
    }

    private func connect(after pause: Duration?) {
        guard let pause = pause?.components else { return }
        let time = TimeAmount.nanoseconds(pause.seconds * 1_000_000_000 + pause.attoseconds / 1_000_000_000)
        eventLoop.scheduleTask(in: time) { self.connect() }
    }

    fileprivate func up(_ channel: any Channel) {
        guard link.withLock({ $0.up() }) else { return channel.close(promise: nil) }
        self.channel.value = channel
        outage.settle("the subscriber \(destination) is reached again")
        write()
    }

    fileprivate func writable(_ isWritable: Bool) {
        if link.withLock({ $0.writable(isWritable) }) { write() }
    }

    fileprivate func peerFinished() {
        if link.withLock({ $0.peerFinished() }) { channel.value?.close(promise: nil) }
    }

    fileprivate func down(after lifetime: Duration, reason: String) {
        guard channel.value != nil else { return }
        channel.value = nil
        let pause = link.withLock { $0.down(after: lifetime) }
        if pause != nil {
            outage.raise(
                "lost the connection to the subscriber \(destination): \(reason); samples wait in the queue, the oldest "
                    + "are lost when it is full; trying again")
        }
        connect(after: pause)
    }

    /// Writes until the connection has no room or nothing waits.
    private func write() {
        guard let channel = channel.value else { return }
        while true {
            let frames = link.withLock { $0.next(maximumBytes: Self.chunkBytes) }
            guard !frames.isEmpty else { break }
            for frame in frames {
                let promise = eventLoop.makePromise(of: Void.self)
                promise.futureResult.whenComplete { self.settle(frame, $0) }
                channel.write(frame.bytes, promise: promise)
            }
            channel.flush()
        }
    }

    private func settle(_ frame: DirectFrame, _ result: Result<Void, any Error>) {
        switch result {
        case .success:
            if link.withLock({ $0.written(frame) }) { channel.value?.close(promise: nil) }
        case .failure:
            link.withLock { $0.failedToWrite(frame) }
        }
    }
}

/// Tells the ``DirectConnection`` what happens to its channel. In the channel's pipeline, on its event loop. What a peer
/// sends is read and dropped: the link has one direction.
private final class DirectLinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: DirectConnection
    private let start = ContinuousClock.now
    private var reason = "the subscriber closed it"

    init(connection: DirectConnection) {
        self.connection = connection
    }

    func channelActive(context: ChannelHandlerContext) {
        connection.up(context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.down(after: .now - start, reason: reason)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        connection.writable(context.channel.isWritable)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { connection.peerFinished() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        reason = ConnectFailure.text(of: error)
        context.close(promise: nil)
    }
}
