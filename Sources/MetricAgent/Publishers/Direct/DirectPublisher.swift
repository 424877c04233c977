public import KafkaClient
public import KafkaProtocol
public import Logging
import MetricModel
import NIOCore

/// Publishes records straight to one or several subscribers, without a broker between: each destination has a connection
/// and a bounded queue of its own, so that a slow or absent one delays no other and nobody here. What does not get
/// through is lost, and counted. Any thread.
///
///     record ─┬─► queue ─TCP─► subscriber
///             └─► queue ─TCP─► subscriber          docs/direct.md
public final class DirectPublisher: Sendable {
    private let connections: [DirectConnection]
    private let destinations: [BrokerAddress]
    private let instance: String
    private let logger: Logger
    /// What all its connections carry.
    public let traffic = ConnectionTraffic()

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - instance: the key of records that come without one.
    public init(
        destinations: [BrokerAddress], instance: String, configuration: DirectConfiguration = DirectConfiguration(),
        logger: Logger
    ) {
        self.destinations = destinations
        self.instance = instance
        self.logger = logger
        connections = destinations.map { [traffic] in
            DirectConnection(to: $0, configuration: configuration, traffic: traffic, logger: logger)
        }
        for connection in connections { connection.start() }
    }

    /// Offers the records to every destination. Never waits.
    public func offer(_ block: RecordBlock, to topic: TopicName) {
        for record in block.records {
            let header = DirectRecordHeader(
                byteCount: record.bytes.count, sampleCount: record.sampleCount, timestamp: record.timestamp,
                topic: topic.rawValue, instance: record.instance)
            guard let text = block.text.getSlice(at: record.bytes.lowerBound, length: record.bytes.count) else {
                preconditionFailure("a block's records lie within it")
            }
            offer(header, text)
        }
    }

    private func offer(_ header: DirectRecordHeader, _ text: ByteBuffer) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(text.readableBytes + 128 + header.instance.utf8.count)
        bytes.writeString(header.line)
        bytes.writeImmutableBuffer(text)
        let frame = DirectFrame(bytes: bytes, sampleCount: header.sampleCount)
        for connection in connections { connection.offer(frame) }
    }

    /// By destination, in the order given.
    public var statistics: [DirectStatistics] { connections.map(\.statistics) }

    /// Whether everything offered is sent or lost.
    public var isEmpty: Bool { connections.allSatisfy(\.isEmpty) }

    /// Waits for what is in the queues to go out, but not for longer than `grace`.
    public func sayFarewell(within grace: Duration) async {
        let deadline = ContinuousClock.now + grace
        while !isEmpty, !Task.isCancelled, .now < deadline { try? await Task.sleep(for: .milliseconds(2)) }
    }

    /// Ends the connections; what waits is lost.
    public func close() async {
        for connection in connections { await connection.close() }
        for statistics in statistics where statistics.lostInAll.samples > 0 {
            let reasons = DirectStatistics.Loss.allCases.compactMap { reason in
                statistics.lost(reason).samples > 0 ? "\(reason.rawValue) \(statistics.lost(reason).samples)" : nil
            }
            logger.warning(
                "\(statistics.lostInAll.samples) of \(statistics.offered.samples) samples for \(statistics.destination) were lost: \(reasons.joined(separator: ", "))"
            )
        }
    }
}

extension DirectPublisher: RecordPublishing {
    func sink(for topic: TopicName) -> any RecordSink { DirectSink(publisher: self, topic: topic) }

    func run() async {
        // The event loops do the work.
        while (try? await Task.sleep(for: .seconds(3600))) != nil {}
    }

    func add(to statistics: inout AgentStatistics) {
        let direct = self.statistics
        statistics.direct = direct
        statistics.bytesIn += traffic.bytesIn
        statistics.bytesOut += traffic.bytesOut
        statistics.connections += traffic.openConnections
    }

    func announce() {}

    var whereabouts: String { "straight to " + destinations.map(\.description).joined(separator: ", ") }

    /// Offers one lane's records.
    private struct DirectSink: RecordSink {
        let publisher: DirectPublisher
        let topic: TopicName

        func accept(_ text: [UInt8], sampleCount: Int, timestamp: Timestamp) async throws(SpoolError) {
            let header = DirectRecordHeader(
                byteCount: text.count, sampleCount: sampleCount, timestamp: timestamp, topic: topic.rawValue,
                instance: publisher.instance)
            publisher.offer(header, ByteBuffer(bytes: text))
        }
    }
}
