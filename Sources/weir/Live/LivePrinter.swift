import KafkaClient
import KafkaProtocol
import Logging
import NIOCore
import ServiceLifecycle
import Subscriber

/// What `weir live` shows of a batch.
protocol LiveContent: Sendable {
    /// Appends at most `limit` lines, which it counts down, and calls `rejected` with what cannot be read.
    mutating func append(
        _ batch: ConsumedBatch, limit: inout Int, to output: inout ByteBuffer, rejected: (String) -> Void)
}

/// Samples, a line each.
struct LiveSamples: LiveContent {
    private var decoder: LiveDecoder
    private var writer: LiveWriter

    init(_ decoder: LiveDecoder, _ format: LiveFormat) {
        self.decoder = decoder
        writer = LiveWriter(format)
    }

    mutating func append(
        _ batch: ConsumedBatch, limit: inout Int, to output: inout ByteBuffer, rejected: (String) -> Void
    ) {
        decoder.decode(batch, rejected: rejected) { sample in
            guard limit > 0 else { return }
            limit -= 1
            writer.append(sample, to: &output)
        }
    }
}

/// Writes what arrives to standard output, fetch by fetch, until there is enough, the time is over, nobody reads any more
/// or the program is stopped.
struct LivePrinter<Content: LiveContent>: Service {
    let consumer: TopicConsumer
    let content: Content
    /// Nil for no limit.
    let limit: Int?
    /// Nil for no end.
    let duration: Duration?
    let logger: Logger

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await printUntilEnd() }
        } catch is StandardOutput.Closed {
            // As head does when it has seen enough: no error.
        } catch is CancellationError {}
        consumer.close()
    }

    private func printUntilEnd() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await printWhatArrives() }
            group.addTask { try await StandardOutput.waitUntilClosed() }
            if let duration { group.addTask { try await Task.sleep(for: duration) } }
            try await group.next()
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    private func printWhatArrives() async throws {
        try await consumer.begin()
        let partitions = consumer.partitions
        logger.info(
            "waiting for what arrives",
            metadata: ["topics": "\(Set(partitions.map(\.topic)).count)", "partitions": "\(partitions.count)"])
        var content = content
        var mentions = LiveMentions(logger)
        var left = limit ?? .max
        for try await batch in consumer {
            var output = ByteBuffer()
            content.append(batch, limit: &left, to: &output) { mentions.add($0) }
            if output.readableBytes > 0 { try await StandardOutput.write(output) }
            mentions.mention()
            if left == 0 { return }
        }
    }
}

/// Says on standard error what arrived and is no sample: at once, then now and then with how many it was.
struct LiveMentions {
    private static let interval = Duration.seconds(10)

    private let logger: Logger
    private var count = 0
    private var latest = ""
    private var quietUntil = ContinuousClock.now

    init(_ logger: Logger) {
        self.logger = logger
    }

    mutating func add(_ rejection: String) {
        count += 1
        latest = rejection
    }

    mutating func mention() {
        guard count > 0, .now >= quietUntil else { return }
        logger.warning("what is no sample is not shown", metadata: ["count": "\(count)", "latest": "\(latest)"])
        count = 0
        quietUntil = .now + Self.interval
    }
}
