import Glibc
import KafkaClient
import KafkaProtocol
import NIOCore
import RecordBatch
import ServiceLifecycle
import Topology

/// Sends each line of the input as one record, in order, and says on standard error what it has done.
///
/// Memory is bounded by the producer's buffer and by ``window``. At a graceful shutdown it stops reading and waits
/// for what is under way. With a transactional id all lines are one transaction, which is committed at the end of the
/// input and aborted at a failure or a shutdown.
struct LineProducer: Service {
    /// Records that may be on their way at a time.
    private static let window = 20_000

    /// How a line becomes a record.
    struct Template: Sendable {
        let topic: TopicName
        var partition: PartitionIndex?
        var key: ByteBuffer?
        /// Stands between key and value in each line.
        var keySeparator: [UInt8]?
        var headers: [RecordHeader] = []
    }

    /// What was sent, for programs.
    struct Summary: Encodable {
        var topic: String
        var records = 0
        var bytes = 0
        /// The partition's number to its count of records.
        var partitions: [String: Int] = [:]
    }

    let template: Template
    let inputPath: String?
    let cluster: Cluster
    let configuration: ProducerConfiguration
    /// For one transaction of all lines.
    var transactionalID: String?
    let format: ListFormat

    func run() async throws {
        var reader = try LineReader(path: inputPath)
        defer { reader.close() }
        // Says at once when nobody is there; creates the topic if the cluster does so.
        let metadata = try await cluster.metadata(of: [template.topic], createMissing: true)
        if let partition = template.partition, let count = metadata.partitionCount(of: template.topic),
            partition.rawValue >= count
        {
            throw CommandError("topic \(template.topic) has no partition \(partition.rawValue); it has \(count)")
        }
        var summary = Summary(topic: template.topic.rawValue)
        let started = ContinuousClock.now
        do {
            if let transactionalID {
                try await sendInTransaction(transactionalID, &reader, &summary)
            } else {
                try await sendSingly(&reader, &summary)
            }
        } catch {
            report(summary, ContinuousClock.now - started)
            throw error
        }
        report(summary, ContinuousClock.now - started)
        if format == .json { try printJSON(summary) }
    }

    private func sendSingly(_ reader: inout LineReader, _ summary: inout Summary) async throws {
        let producer = Producer(cluster: cluster, configuration: configuration)
        do {
            try await send(&reader, &summary) { try await producer.enqueue($0) }
            await producer.close()
        } catch {
            await producer.close()
            throw error
        }
    }

    private func sendInTransaction(
        _ id: String, _ reader: inout LineReader, _ summary: inout Summary
    ) async throws {
        let producer = TransactionalProducer(
            cluster: cluster, transactionalID: id, configuration: TransactionConfiguration(producer: configuration))
        var sent = summary
        do {
            try await producer.initialize()
            try await producer.transaction {
                try await send(&reader, &sent) { try await producer.enqueue($0) }
                if Task.isShuttingDownGracefully {
                    throw CommandError("stopped before the end of the input; nothing is committed")
                }
            }
            await producer.close()
        } catch {
            await producer.close()
            throw error
        }
        summary = sent
    }

    private func send(
        _ reader: inout LineReader, _ summary: inout Summary,
        _ enqueue: (ProducerMessage) async throws -> Producer.Delivery
    ) async throws {
        var pending: [Sent] = []
        var progress = ProgressLine()
        while let line = try await reader.next() {
            let bytes = line.readableBytes
            let delivery = try await atLine(reader.lineNumber) {
                try await enqueue(try message(line))
            }
            pending.append(Sent(line: reader.lineNumber, bytes: bytes, delivery: delivery))
            if pending.count >= Self.window {
                try await settle(pending.prefix(Self.window / 2), &summary)
                pending.removeFirst(Self.window / 2)
                progress.show("\(summary.records) records")
            }
        }
        try await settle(pending[...], &summary)
        progress.clear()
    }

    private struct Sent {
        let line: Int
        let bytes: Int
        let delivery: Producer.Delivery
    }

    private func settle(_ sent: ArraySlice<Sent>, _ summary: inout Summary) async throws {
        for record in sent {
            try await atLine(record.line) { _ = try await record.delivery.offset() }
            summary.records += 1
            summary.bytes += record.bytes
            summary.partitions["\(record.delivery.partition.rawValue)", default: 0] += 1
        }
    }

    private func atLine<Value>(_ line: Int, _ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch {
            let reason =
                error is CancellationError ? "it may not have been written; the program was stopped" : "\(error)"
            throw CommandError("line \(line): \(reason)")
        }
    }

    private func message(_ line: ByteBuffer) throws -> ProducerMessage {
        var message = ProducerMessage(
            topic: template.topic, partition: template.partition, key: template.key, value: line,
            headers: template.headers)
        if let separator = template.keySeparator {
            guard let place = line.readableBytesView.firstRange(of: separator) else {
                throw CommandError(
                    "there is no key separator '\(String(decoding: separator, as: UTF8.self))' in this line")
            }
            message.key = line.getSlice(at: line.readerIndex, length: place.lowerBound - line.readerIndex)
            message.value = line.getSlice(at: place.upperBound, length: line.writerIndex - place.upperBound)
        }
        return message
    }

    private func report(_ summary: Summary, _ duration: Duration) {
        let (records, partitions) = (summary.records, summary.partitions.count)
        writeToStandardError(
            """
            \(records) record\(records == 1 ? "" : "s") (\(summary.bytes) bytes) to \(partitions) \
            partition\(partitions == 1 ? "" : "s") of \(summary.topic) in \(duration.formattedSeconds)

            """)
    }
}

extension Duration {
    /// `1.23 s`.
    fileprivate var formattedSeconds: String {
        let hundredths = (components.seconds * 100) + components.attoseconds / 10_000_000_000_000_000
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
    }
}
