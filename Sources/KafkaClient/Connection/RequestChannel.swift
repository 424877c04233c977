import KafkaProtocol
import NIOCore
import NIOPosix

/// A TCP connection that carries requests and answers, before it is known which versions the broker understands.
///
/// Sendable: work is handed to the channel's event loop.
struct RequestChannel: Sendable {
    let address: BrokerAddress
    let clientID: String
    let channel: any Channel
    private let handler: NIOLoopBound<ConnectionHandler>

    private init(address: BrokerAddress, clientID: String, channel: any Channel, handler: ConnectionHandler) {
        self.address = address
        self.clientID = clientID
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    /// Puts the handlers into a channel's pipeline. On its event loop.
    static func install(
        on channel: any Channel, address: BrokerAddress, clientID: String, maximumResponseBytes: Int,
        traffic: ConnectionTraffic = ConnectionTraffic()
    ) throws -> RequestChannel {
        let handler = ConnectionHandler(address: address)
        try channel.pipeline.syncOperations.addHandlers([
            TrafficHandler(traffic), ByteToMessageHandler(ResponseFrameDecoder(maximumBytes: maximumResponseBytes)),
            handler,
        ])
        return RequestChannel(address: address, clientID: clientID, channel: channel, handler: handler)
    }

    /// Starts to connect. The future may outlive the caller's interest: whoever drops it must close what it yields.
    static func connect(
        to address: BrokerAddress, configuration: ClientConfiguration, group: any EventLoopGroup
    ) -> EventLoopFuture<RequestChannel> {
        let loop = group.next()
        let promise = loop.makePromise(of: RequestChannel.self)
        ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .connect(host: address.host, port: address.port)
            .flatMapThrowing { channel in
                try install(
                    on: channel, address: address, clientID: configuration.clientID,
                    maximumResponseBytes: configuration.maximumResponseBytes, traffic: configuration.traffic)
            }
            .cascade(to: promise)
        return promise.futureResult
    }

    var isOpen: Bool { channel.isActive }

    /// Fails what is pending with `error`.
    func close(_ error: KafkaClientError) {
        let handler = handler
        channel.eventLoop.execute { handler.value.close(error) }
    }

    /// One request and its answer in the given version.
    func send<Request: KafkaRequest>(
        _ request: Request, version: Int16, timeout: Duration, expectsAnswer: Bool = true
    ) async throws -> Request.Response {
        guard expectsAnswer else {
            _ = try await exchange(request, version: version, timeout: timeout, expectsAnswer: false)
            return Request.Response()
        }
        let answer = try await exchange(request, version: version, timeout: timeout, expectsAnswer: true)
        return try decode(answer, of: Request.self, version: version)
    }

    /// One request and the bytes of its answer, the header included.
    func exchange<Request: KafkaRequest>(
        _ request: Request, version: Int16, timeout: Duration, expectsAnswer: Bool
    ) async throws -> ByteBuffer {
        try Task.checkCancellation()
        let frame = try RequestEncoding.encode(request, version: version, clientID: clientID)
        let completion = OneShot<ByteBuffer>()
        let handler = handler
        channel.eventLoop.execute {
            handler.value.send(
                frame, name: "\(Request.apiKey)", expectsAnswer: expectsAnswer, timeout: timeout,
                completion: completion)
        }
        return try await completion.value()
    }

    func decode<Request: KafkaRequest>(
        _ answer: ByteBuffer, of request: Request.Type, version: Int16
    ) throws(KafkaClientError) -> Request.Response {
        do {
            return try Request.Response.decode(frame: answer, version: version).response
        } catch {
            throw .malformedAnswer(address, request: "\(Request.apiKey)", reason: "\(error)")
        }
    }
}
