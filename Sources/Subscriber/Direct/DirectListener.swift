internal import Glibc
internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import MetricModel
internal import NIOCore
internal import NIOPosix
internal import RecordBatch
internal import ServiceLifecycle

/// Takes records from publishers that connect to the subscriber itself. Each becomes a record as a topic would have
/// brought it, and goes the same way from there; but there is no offset to go on from, so what has not been committed when
/// this process dies is lost.
///
///     socket ─► DirectFrames ─► record batch ─► Intake ─► …
///
/// A connection is a task. While the intake has enough in hand the task waits in it, its socket is not read, and so the
/// publisher's queue fills, not this process. Owned by the `SubscriberService`.
struct DirectListener: Sendable {
    /// The partition of records that came from none.
    static let noPartition = PartitionIndex(-1)
    /// At a shutdown publishers have this long to finish what they are sending.
    private static let patience = Duration.milliseconds(500)
    private static let acceptBacklog: Int32 = 256

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private let server: NIOAsyncChannel<Connection, Never>
    private let limits: DirectLimits
    private let looseTopic: TopicName
    private let counters: DirectCounters
    private let intake: Intake
    private let logger: Logger
    let port: Int

    /// Begins to listen; connections wait until `run`.
    ///
    /// - Throws: ``DirectListenError``, or `InvalidTopicName` for the topic of loose lines.
    init(
        _ listening: DirectListening, into intake: Intake, counters: DirectCounters, logger: Logger
    ) async throws {
        limits = listening.limits
        looseTopic = try TopicName(listening.topic)
        self.counters = counters
        self.intake = intake
        self.logger = logger
        let (host, port) = (listening.host, listening.port)
        do {
            server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: Self.acceptBacklog)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: port) { [traffic = counters.traffic] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(TrafficHandler(traffic))
                        // Two reads ahead: the socket is to wait, not memory.
                        return try Connection(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
                    }
                }
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw DirectListenError.addressInUse(host: host, port: port)
        } catch {
            throw DirectListenError.cannotListen(host: host, port: port, reason: ConnectFailure.text(of: error))
        }
        self.port = server.channel.localAddress?.port ?? port
        logger.info("listening for direct publishers on \(host):\(self.port)")
    }

    /// Serves until shut down. Then it takes no more connections, closes its half of those there are, and reads what the
    /// publishers still send; they close theirs.
    func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.executeThenClose { connections in
                await withDiscardingTaskGroup { group in
                    do {
                        for try await connection in connections {
                            group.addTask { await serve(connection) }
                        }
                    } catch {
                        logger.error("cannot take more direct publishers: \(error)")
                    }
                }
            }
        } onGracefulShutdown: {
            server.channel.close(promise: nil)
            for channel in counters.channels { channel.close(mode: .output, promise: nil) }
            let time = TimeAmount.nanoseconds(Self.patience.components.attoseconds / 1_000_000_000)
            server.channel.eventLoop.scheduleTask(in: time) { [counters] in
                for channel in counters.channels { channel.close(promise: nil) }
            }
        }
    }

    private func serve(_ connection: Connection) async {
        let channel = connection.channel
        guard counters.opened(channel, limit: limits.connections) else {
            logger.warning("closed the connection of \(peer(channel)): \(limits.connections) are open (connections)")
            try? await connection.executeThenClose { _, _ in }
            return
        }
        defer { counters.closed(channel) }
        var frames = DirectFrames(limits: limits)
        var pending = 0
        var records = DirectRecords(looseTopic: looseTopic)
        do {
            try await connection.executeThenClose { inbound, _ in
                for try await bytes in inbound {
                    frames.receive(bytes)
                    let failure = records.take(from: &frames)
                    for batch in records.batches() { try await intake.receive(direct: batch) }
                    counters.received(records: records.takenCount())
                    counters.hold(frames.pendingBytes - pending)
                    pending = frames.pendingBytes
                    if let failure { throw failure }
                    if counters.isCrowded(by: pending, limit: limits.pendingBytes) {
                        throw DirectFrameError.limit(.pendingBytes, bytes: pending, maximum: limits.pendingBytes)
                    }
                }
            }
        } catch let error as DirectFrameError {
            if case .limit(let name, _, _) = error { counters.reached(name) } else { counters.wasUnreadable() }
            logger.warning("closed the connection of \(peer(channel)): \(error)")
            counters.hold(-pending)
            return
        } catch {
            // A reset, or the end of this service.
            logger.debug("the connection of \(peer(channel)) ended: \(error)")
        }
        counters.hold(-pending)
        if !frames.isBetweenRecords {
            counters.brokeOff()
            logger.info("\(peer(channel)) closed the connection in the middle of a record; what was there is dropped")
        }
    }

    private func peer(_ channel: any Channel) -> String {
        channel.remoteAddress.map { "\($0.ipAddress ?? "?"):\($0.port ?? 0)" } ?? "a publisher"
    }
}

/// The records of one read of one connection, as batches of their topics. Owned by the connection's task.
private struct DirectRecords {
    private let looseTopic: TopicName
    private var builders: [(topic: TopicName, builder: RecordBatchBuilder)] = []
    private var nextOffset = Offset(0)
    private var taken = 0

    init(looseTopic: TopicName) {
        self.looseTopic = looseTopic
    }

    /// Takes all records that are there as a whole.
    ///
    /// - Returns: why the stream cannot be read any further; nil when it can.
    mutating func take(from frames: inout DirectFrames) -> DirectFrameError? {
        do throws(DirectFrameError) {
            while let frame = try frames.next() {
                switch frame {
                case .record(let header, let text):
                    append(
                        text, topic: try topic(header.topic), key: ByteBuffer(string: header.instance),
                        timestamp: header.timestamp.milliseconds)
                case .lines(let text):
                    append(text, topic: looseTopic, key: nil, timestamp: -1)
                }
                taken += 1
            }
            return nil
        } catch {
            return error
        }
    }

    /// How many were taken since the last call.
    mutating func takenCount() -> Int {
        defer { taken = 0 }
        return taken
    }

    /// What was taken, as if it had been fetched. Offsets count the connection's records, for whoever looks for one that
    /// was rejected; they are stored nowhere.
    mutating func batches() -> [ConsumedBatch] {
        defer { builders.removeAll(keepingCapacity: true) }
        return builders.indices.compactMap { index in
            let topic = builders[index].topic
            // Uncompressed batches cannot fail to encode.
            guard var batch = try? builders[index].builder.finish() else { return nil }
            let first = nextOffset
            batch.assign(baseOffset: first, leaderEpoch: -1)
            nextOffset = batch.header.nextOffset
            return ConsumedBatch(
                topicPartition: TopicPartition(topic: topic, partition: DirectListener.noPartition), batches: [batch],
                firstOffset: first, nextOffset: nextOffset, highWatermark: nextOffset)
        }
    }

    private func topic(_ name: String) throws(DirectFrameError) -> TopicName {
        // Records of one topic often follow each other.
        if let last = builders.last?.topic, last.rawValue == name { return last }
        do throws(InvalidTopicName) {
            return try TopicName(name)
        } catch {
            throw .topic(error.description)
        }
    }

    private mutating func append(_ text: ByteBuffer, topic: TopicName, key: ByteBuffer?, timestamp: Int64) {
        let index: Int
        if let known = builders.lastIndex(where: { $0.topic == topic }) {
            index = known
        } else {
            index = builders.count
            builders.append((topic, RecordBatchBuilder(capacity: text.readableBytes + 256)))
        }
        builders[index].builder.append(timestamp: timestamp, key: key, value: text)
    }
}
