import KafkaProtocol
import NIOCore

/// Serves one kind of request. A type without values; state lives in what the exchange's context leads to.
protocol RequestHandler: SendableMetatype {
    associatedtype Request: KafkaRequest

    /// Called on the connection's event loop. Answers through `exchange` once, now or later, from any thread.
    static func handle(_ request: Request, _ exchange: Exchange<Request.Response>)
}

/// The one list of what the broker serves: key, versions, handler. ApiVersions is derived from it.
enum APITable {
    /// All versions are advertised from 0, as librdkafka before 2.10 switches features by exact old versions
    /// (compression by Produce 0, for example; KAFKA-18659).
    static let entries: [Entry] = [
        Entry(ProduceHandler.self, order: ProduceHandler.order(ofVersion:)),
        Entry(FetchHandler.self),
        Entry(ListOffsetsHandler.self),
        Entry(MetadataHandler.self),
        Entry(OffsetCommitHandler.self),
        Entry(OffsetFetchHandler.self),
        Entry(FindCoordinatorHandler.self),
        Entry(JoinGroupHandler.self),
        Entry(HeartbeatHandler.self),
        Entry(LeaveGroupHandler.self),
        Entry(SyncGroupHandler.self),
        Entry(DescribeGroupsHandler.self),
        Entry(ListGroupsHandler.self),
        Entry(ApiVersionsHandler.self),
        Entry(CreateTopicsHandler.self),
        Entry(DeleteTopicsHandler.self),
        Entry(DeleteRecordsHandler.self),
        Entry(InitProducerIdHandler.self),
        Entry(OffsetForLeaderEpochHandler.self),
        Entry(AddPartitionsToTxnHandler.self),
        Entry(AddOffsetsToTxnHandler.self),
        Entry(EndTxnHandler.self),
        Entry(TxnOffsetCommitHandler.self),
        Entry(DescribeConfigsHandler.self),
        Entry(AlterConfigsHandler.self),
        Entry(DescribeLogDirsHandler.self),
        Entry(CreatePartitionsHandler.self),
        Entry(DeleteGroupsHandler.self),
        Entry(IncrementalAlterConfigsHandler.self),
        Entry(OffsetDeleteHandler.self),
        Entry(DescribeClusterHandler.self),
        Entry(DescribeProducersHandler.self),
        Entry(DescribeTransactionsHandler.self),
        Entry(ListTransactionsHandler.self),
        Entry(DescribeTopicPartitionsHandler.self),
    ]

    struct Entry: Sendable {
        let key: APIKey
        let versions: ClosedRange<Int16>
        let order: @Sendable (_ version: Int16) -> RequestOrder
        let serve: @Sendable (inout RequestFrame, RequestArrival) throws(ProtocolError) -> Void

        init<Handler: RequestHandler>(
            _ handler: Handler.Type, versions: ClosedRange<Int16> = Handler.Request.supportedVersions,
            order: @escaping @Sendable (_ version: Int16) -> RequestOrder = { _ in .alone }
        ) {
            self.key = Handler.Request.apiKey
            self.versions = versions
            self.order = order
            self.serve = { (frame: inout RequestFrame, arrival: RequestArrival) throws(ProtocolError) in
                let request = try frame.decode(Handler.Request.self)
                let exchange = Exchange<Handler.Request.Response>(
                    arrival, version: frame.header.apiVersion, correlationID: frame.header.correlationID,
                    clientID: frame.header.clientID)
                Handler.handle(request, exchange)
            }
        }
    }

    private static let entriesByKey: [Entry?] = {
        let count = (entries.map { Int($0.key.rawValue) }.max() ?? -1) + 1
        var table = [Entry?](repeating: nil, count: count)
        for entry in entries { table[Int(entry.key.rawValue)] = entry }
        return table
    }()

    private static func entry(_ key: Int16) -> Entry? {
        key >= 0 && Int(key) < self.entriesByKey.count ? self.entriesByKey[Int(key)] : nil
    }

    /// Whether the request in this frame may be served while others are unanswered.
    static func order(of frame: ByteBuffer) -> RequestOrder {
        guard let entry = frame.getInteger(at: frame.readerIndex, as: Int16.self).flatMap(self.entry),
            let version = frame.getInteger(at: frame.readerIndex + 2, as: Int16.self)
        else { return .alone }
        return entry.order(version)
    }

    /// Decodes the request in a frame and hands it to its handler.
    ///
    /// - Throws: if the bytes are no request, or one that is not served; the connection cannot go on then, as the
    ///   client waits for an answer whose format we do not know.
    static func serve(_ content: ByteBuffer, _ arrival: RequestArrival) throws(ProtocolError) {
        let start = content.readerIndex
        guard
            let key = content.getInteger(at: start, as: Int16.self),
            let version = content.getInteger(at: start + 2, as: Int16.self),
            let correlationID = content.getInteger(at: start + 4, as: Int32.self)
        else {
            throw ProtocolError(
                .truncated(needed: 8, remaining: content.readableBytes), field: "RequestHeader", position: 0)
        }
        guard let entry = self.entry(key) else {
            throw ProtocolError(.unknownAPIKey(key), field: "RequestHeader.apiKey", position: 0)
        }
        arrival.node.counters.instruments(of: entry.key)?.took(bytes: content.readableBytes)
        guard entry.versions.contains(version) else {
            guard entry.key == .apiVersions else {
                throw ProtocolError(
                    .unsupportedVersion(version, supported: entry.versions), field: "\(entry.key) request",
                    position: 2)
            }
            // The rest of the header may have a form we do not know; the answer needs none of it.
            ApiVersionsHandler.refuse(
                Exchange(arrival, version: 0, correlationID: correlationID, clientID: nil))
            return
        }
        var frame = try RequestFrame(
            content, maximumElements: arrival.node.configuration.limits.requestElements)
        try entry.serve(&frame, arrival)
    }
}
