import NIOCore
import NIOPosix
import TestKit
import Testing

@testable import Topology

@Suite("The proxy whose network can be cut")
struct FaultProxyTests {
    /// Answers every byte with itself.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(data, promise: nil)
        }
    }

    private func echoServer() async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// A connection whose bytes are read one after another.
    private func connect(_ port: Int) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
    }

    @Test func `hands on, is cut, and hands on again where it was`() async throws {
        let server = try await echoServer()
        let proxy = try await FaultProxy.start()
        try proxy.forward(toPort: try #require(server.localAddress?.port))
        let port = proxy.port

        let first = try await connect(port)
        try await first.executeThenClose { inbound, outbound in
            var bytes = inbound.makeAsyncIterator()
            try await outbound.write(ByteBuffer(string: "one"))
            #expect(try await bytes.next() == ByteBuffer(string: "one"))
            await proxy.cut()
            // Closed, with an error or without.
            let rest = try? await bytes.next()
            #expect(rest == nil)
        }
        await #expect(throws: (any Error).self) { try await connect(port) }

        try await proxy.restore()
        #expect(proxy.port == port)
        let second = try await connect(port)
        try await second.executeThenClose { inbound, outbound in
            var bytes = inbound.makeAsyncIterator()
            let long = ByteBuffer(repeating: 7, count: 1 << 20)
            try await outbound.write(long)
            var count = 0
            while count < long.readableBytes { count += try await bytes.next()?.readableBytes ?? long.readableBytes }
            #expect(count == long.readableBytes)
        }
        await proxy.cut()
        try await server.close()
    }
}
