internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A TCP proxy whose network can be cut: it listens on the loopback address and hands every connection on to a target.
///
/// Cut, it closes all connections at once, what is on its way in them is gone, and new ones are refused; restored, it
/// listens again where it was. That is what a router that restarts, a firewall that is reloaded, or a cable that is pulled
/// for longer than TCP waits look like from both sides.
///
/// Runs on the event loops of the singleton group; any thread may call it.
final class FaultProxy: Sendable {
    /// How long the old port is tried again at a restoration: the system may have lent it for a moment.
    private static let patience = Duration.seconds(10)

    private struct State {
        var target: SocketAddress?
        var listener: (any Channel)?
        var open: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())
    private let ownPort = Mutex(0)

    /// Where clients connect; the same after a cut.
    var port: Int { ownPort.withLock { $0 } }

    /// Listens on a port that nobody has, below those that the system lends: one of these could be lent to somebody else
    /// while the network is cut, or to a client that then connects to itself.
    static func start() async throws -> FaultProxy {
        let proxy = FaultProxy()
        for attempt in 1... {
            let port = Int.random(in: lowestPort..<systemPorts())
            do {
                let listener = try await proxy.listen(port: port)
                proxy.ownPort.withLock { $0 = port }
                proxy.state.withLock { $0.listener = listener }
                return proxy
            } catch let error as IOError where error.errnoCode == EADDRINUSE && attempt < 1000 {
                continue
            }
        }
        return proxy
    }

    private static let lowestPort = 10_000

    /// The first port that the system lends by itself.
    private static func systemPorts() -> Int {
        let text = FileManager.default.contents(atPath: "/proc/sys/net/ipv4/ip_local_port_range")
        let first = text.flatMap { String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isWhitespace).first }
        return max(lowestPort + 1000, first.flatMap { Int($0) } ?? 32_768)
    }

    private func listen(port: Int) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Nothing is read before there is somebody to hand it to.
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { [self] channel in accept(channel) }
            .bind(host: "127.0.0.1", port: port).get()
    }

    /// Where connections are handed on to, from now on.
    func forward(toPort port: Int) throws {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        state.withLock { $0.target = address }
    }

    /// Refuses and closes everything until ``restore()``.
    func cut() async {
        let (listener, channels) = state.withLock { state in
            defer { state.listener = nil }
            return (state.listener, Array(state.open.values))
        }
        try? await listener?.close()
        for channel in channels { channel.close(promise: nil) }
    }

    func restore() async throws {
        guard state.withLock({ $0.listener == nil }) else { return }
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                let listener = try await listen(port: port)
                state.withLock { $0.listener = listener }
                return
            } catch  where ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func accept(_ client: any Channel) -> EventLoopFuture<Void> {
        guard let target = state.withLock({ $0.target }), remember(client) else {
            return client.close()
        }
        return ClientBootstrap(group: client.eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: false)
            .connect(to: target)
            .flatMapThrowing { [self] server in
                guard remember(server) else {
                    server.close(promise: nil)
                    throw ChannelError.ioOnClosedChannel
                }
                // Both are on the client's event loop.
                try client.pipeline.syncOperations.addHandler(ProxyEnd(other: server))
                try server.pipeline.syncOperations.addHandler(ProxyEnd(other: client))
                // One that is closed before it is active does not become inactive.
                client.closeFuture.whenComplete { _ in server.close(promise: nil) }
            }
            .flatMapError { _ in client.close() }
    }

    /// False when the network was cut meanwhile.
    private func remember(_ channel: any Channel) -> Bool {
        let isOpen = state.withLock { state in
            if state.listener == nil { return false }
            state.open[ObjectIdentifier(channel)] = channel
            return true
        }
        channel.closeFuture.whenComplete { [self] _ in
            _ = state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(channel)) }
        }
        return isOpen
    }
}

/// One end of a proxied connection: what it reads it writes to the other one, and reads on when that is written.
/// On the channel's event loop, which both ends share.
private final class ProxyEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel

    init(other: any Channel) { self.other = other }

    /// The accepted end is active only after its initializer, by when the other one has long been: then both begin. A read
    /// before that would never be answered.
    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        context.read()
        other.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let own = context.channel
        other.writeAndFlush(unwrapInboundIn(data)).whenComplete { result in
            if case .success = result { own.read() } else { own.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        other.close(promise: nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
