import TestKit
import KafkaProtocol
import NIOCore
import NIOPosix
import Synchronization

/// A listener that answers each request as a script says: to play the broker that misbehaves.
final class ScriptedBroker: Sendable {
    enum Reply {
        case answer(any KafkaResponse)
        case answerLater(any KafkaResponse, TimeAmount)
        /// Not now, not ever.
        case nothing
        /// Closes the connection.
        case hangUp
        /// Sends these bytes as they are.
        case bytes(ByteBuffer)
    }

    /// Called on the connection's event loop, for one request after the other.
    typealias Script = @Sendable (inout RequestFrame) throws -> Reply

    /// What the connections have in common.
    private final class Record: Sendable {
        let requests = Mutex<[RequestHeader]>([])
        let channels = Mutex<[any Channel]>([])
    }

    let port: Int
    private let listener: any Channel
    private let record: Record

    private init(port: Int, listener: any Channel, record: Record) {
        self.port = port
        self.listener = listener
        self.record = record
    }

    static func start(port: Int? = nil, _ script: @escaping Script) async throws -> ScriptedBroker {
        let record = Record()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                record.channels.withLock { $0.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(Framing()), Answering(script: script, record: record),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: try port ?? freePort()).get()
        guard let port = listener.localAddress?.port else { throw ChannelError.unknownLocalAddress }
        return ScriptedBroker(port: port, listener: listener, record: record)
    }

    /// The headers of all requests so far.
    var requests: [RequestHeader] { record.requests.withLock { $0 } }

    func count(_ key: APIKey) -> Int { requests.count { $0.apiKey == key } }

    var connectionCount: Int { record.channels.withLock { $0.count } }

    func closeConnections() async {
        for channel in record.channels.withLock({ $0 }) { try? await channel.close() }
    }

    func stop() async {
        try? await listener.close()
        await closeConnections()
    }

    private struct Framing: ByteToMessageDecoder {
        typealias InboundOut = ByteBuffer

        func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
            guard let frame = try Frame.next(from: &buffer) else { return .needMoreData }
            context.fireChannelRead(Self.wrapInboundOut(frame))
            return .continue
        }
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let script: Script
        private let record: Record

        init(script: @escaping Script, record: Record) {
            self.script = script
            self.record = record
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            do {
                var frame = try RequestFrame(unwrapInboundIn(data))
                let header = frame.header
                record.requests.withLock { $0.append(header) }
                switch try script(&frame) {
                case .answer(let response):
                    context.writeAndFlush(wrapOutboundOut(try Self.frame(response, to: header)), promise: nil)
                case .answerLater(let response, let delay):
                    let frame = try Self.frame(response, to: header)
                    let channel = context.channel
                    context.eventLoop.scheduleTask(in: delay) { channel.writeAndFlush(frame, promise: nil) }
                case .bytes(let buffer):
                    context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
                case .nothing:
                    break
                case .hangUp:
                    context.close(promise: nil)
                }
            } catch {
                context.close(promise: nil)
            }
        }

        private static func frame(_ response: any KafkaResponse, to header: RequestHeader) throws -> ByteBuffer {
            var buffer = ByteBuffer()
            try response.writeFrame(into: &buffer, version: header.apiVersion, correlationID: header.correlationID)
            return buffer
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
