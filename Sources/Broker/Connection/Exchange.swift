import Instruments
import KafkaProtocol
import NIOCore

/// One request on its way to its answer: what the handler needs to know beside the request itself.
struct RequestContext: Sendable {
    let node: BrokerNode
    let apiVersion: Int16
    let clientID: String?
    let peer: PeerAddress
    let eventLoop: any EventLoop
}

/// Where the answer to one request goes. A value that may be passed to any thread; used once.
struct Exchange<Response: KafkaResponse>: Sendable {
    let context: RequestContext
    private let connection: NIOLoopBound<ConnectionHandler>
    private let slot: ResponseQueue.Slot
    private let correlationID: Int32
    private let measurement: RequestMeasurement

    init(_ arrival: RequestArrival, version: Int16, correlationID: Int32, clientID: String?) {
        self.context = RequestContext(
            node: arrival.node, apiVersion: version, clientID: clientID, peer: arrival.peer,
            eventLoop: arrival.connection.eventLoop)
        self.connection = arrival.connection
        self.slot = arrival.slot
        self.correlationID = correlationID
        self.measurement = RequestMeasurement(
            instruments: arrival.node.counters.instruments(of: Response.apiKey), start: arrival.time)
    }

    /// Sends the answer, in the version of the request.
    func reply(_ response: Response) {
        self.measurement.instruments?.countErrors(in: response)
        do throws(ProtocolError) {
            var frame = ByteBuffer()
            try response.writeFrame(
                into: &frame, version: self.context.apiVersion, correlationID: self.correlationID)
            self.finish(.answered(frame))
        } catch {
            self.finish(.hungUp("its answer cannot be encoded: \(error)"))
        }
    }

    /// Ends the exchange without an answer (produce with acks=0).
    func stayQuiet() {
        self.finish(.silent)
    }

    /// Closes the connection: the only way to tell a client that expects no answer.
    func hangUp(_ reason: String) {
        self.finish(.hungUp(reason))
    }

    private func finish(_ outcome: ExchangeOutcome) {
        let eventLoop = self.context.eventLoop
        if eventLoop.inEventLoop {
            self.connection.value.finish(self.slot, outcome, self.measurement)
        } else {
            // Counted on its way, lest many threads read for peers that do not.
            let (bytes, counter) = (outcome.byteCount, self.context.node.counters.answerBytes)
            counter.add(bytes)
            eventLoop.execute { [connection, slot, measurement] in
                connection.value.finish(slot, outcome, measurement)
                counter.add(-bytes)
            }
        }
    }
}

/// How an exchange ends.
enum ExchangeOutcome: Sendable {
    case answered(ByteBuffer)
    /// The client expects no answer.
    case silent
    /// The connection is closed, for this reason.
    case hungUp(String)

    var byteCount: Int {
        if case .answered(let frame) = self { frame.readableBytes } else { 0 }
    }
}

/// One request as it came: who sent it, and where its answer goes.
struct RequestArrival {
    let node: BrokerNode
    let peer: PeerAddress
    let slot: ResponseQueue.Slot
    let connection: NIOLoopBound<ConnectionHandler>
    /// When it was taken.
    let time: NIODeadline
}

/// What is measured of one request from its arrival to its end.
struct RequestMeasurement: Sendable {
    let instruments: APIInstruments?
    let start: NIODeadline

    func ended(_ outcome: ExchangeOutcome, at end: NIODeadline) {
        switch outcome {
        case .answered(let response):
            self.instruments?.answered(bytes: response.readableBytes, after: end - self.start)
        case .silent: self.instruments?.ended(after: end - self.start)
        case .hungUp: break
        }
    }
}
