package import NIOCore
import Synchronization

/// What connections carry in bytes, and how many of them are open. Shared by whoever makes the connections and whoever
/// reports; any thread.
public final class ConnectionTraffic: Sendable {
    private let open = Atomic(0)
    private let made = Atomic(0)
    private let read = Atomic(0)
    private let written = Atomic(0)

    public init() {}

    /// Connections that are open now.
    public var openConnections: Int { open.load(ordering: .relaxed) }
    /// Connections that have come up so far.
    public var madeConnections: Int { made.load(ordering: .relaxed) }
    /// Bytes read from the sockets so far.
    public var bytesIn: Int { read.load(ordering: .relaxed) }
    /// Bytes given to the sockets so far.
    public var bytesOut: Int { written.load(ordering: .relaxed) }

    fileprivate func opened() {
        open.wrappingAdd(1, ordering: .relaxed)
        made.wrappingAdd(1, ordering: .relaxed)
    }

    fileprivate func closed() { open.wrappingSubtract(1, ordering: .relaxed) }
    fileprivate func count(read bytes: Int) { read.wrappingAdd(bytes, ordering: .relaxed) }
    fileprivate func count(written bytes: Int) { written.wrappingAdd(bytes, ordering: .relaxed) }
}

/// Counts one connection's bytes. First in its channel's pipeline, on its event loop.
package final class TrafficHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private let traffic: ConnectionTraffic
    private var isCounted = false

    package init(_ traffic: ConnectionTraffic) {
        self.traffic = traffic
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin() }
    }

    package func channelActive(context: ChannelHandlerContext) {
        begin()
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        traffic.count(read: unwrapInboundIn(data).readableBytes)
        context.fireChannelRead(data)
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        traffic.count(written: unwrapOutboundIn(data).readableBytes)
        context.write(data, promise: promise)
    }

    private func begin() {
        guard !isCounted else { return }
        isCounted = true
        traffic.opened()
    }

    private func end() {
        guard isCounted else { return }
        isCounted = false
        traffic.closed()
    }
}
