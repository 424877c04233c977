internal import KafkaClient
internal import KafkaProtocol
public import Logging
public import MetricAgent
internal import MetricModel
internal import NIOCore
public import ServiceLifecycle
internal import Synchronization

/// Plays many hosts of one kind: at each one's time it makes a record of its samples, writes it down in the ledger, and
/// publishes it as an agent does. A run that cannot be made in time is made later, with the time it was meant for.
///
///     WorkloadSchedule ─► WorkloadText ─► WorkloadLedger ─► SpooledPublisher (one for each partition) or DirectPublisher
///
/// `run()` ends when the workload is over and everything is published, or at graceful shutdown.
public final class WorkloadGenerator: Service {
    /// Text that is gathered before it is published, when many runs are due.
    private static let blockBytes = 256 << 10
    /// At the end of the workload the broker may take this long to acknowledge what is left.
    private static let brokerPatience = Duration.seconds(30)
    /// And subscribers this long to take it.
    private static let directPatience = Duration.seconds(5)
    private static let retryPause = Duration.milliseconds(20)

    private let configuration: WorkloadConfiguration
    private let topic: TopicName
    private let text: WorkloadText
    private let logger: Logger
    private let counts = Mutex(WorkloadStatistics())
    private let output = Mutex<WorkloadOutput?>(nil)

    /// - Throws: ``WorkloadError``, or `InvalidTopicName`.
    public init(configuration: WorkloadConfiguration, logger: Logger) throws {
        try configuration.check()
        self.configuration = configuration
        self.logger = logger
        topic = try TopicName(configuration.topicText)
        text = WorkloadText(
            kind: configuration.kind, seriesCount: configuration.series, seed: configuration.seed)
    }

    /// What has been published so far. Any thread.
    public var statistics: WorkloadStatistics {
        var statistics = counts.withLock { $0 }
        output.withLock { $0 }?.add(to: &statistics)
        return statistics
    }

    /// - Throws: ``WorkloadError`` if the ledger cannot be written, `LogError` if a spool cannot be opened, and
    ///   `KafkaClientError` for what no retry mends.
    public func run() async throws {
        let ledger = try configuration.ledgerPath.map {
            try WorkloadLedger(path: $0, configuration: configuration)
        }
        guard let output = try await open() else { return }
        self.output.withLock { $0 = output }
        logger.info(
            "playing \(configuration.hosts) hosts with \(configuration.series) series of \(configuration.kind.rawValue) every \(configuration.interval.shortText), seed \(configuration.seed), topic \(topic)"
        )
        let outcome: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await output.run() }
                try await self.play(to: output, ledger)
                group.cancelAll()
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await output.close()
        try outcome.get()
    }

    /// Nil at a shutdown before the cluster was reached.
    private func open() async throws -> WorkloadOutput? {
        switch configuration.target {
        case .subscribers(let addresses, let links):
            return .direct(
                DirectPublisher(
                    destinations: addresses, instance: configuration.prefix, configuration: links, logger: logger))
        case .brokers(let bootstrap, let partitions, let directory):
            let layout = WorkloadPartitions(topic: topic, bootstrap: bootstrap, logger: logger)
            let keys = (0..<configuration.hosts).map(instance)
            return try await cancelWhenGracefulShutdown {
                do {
                    return try self.lanes(
                        hosts: try await layout.partitions(of: keys, creating: partitions), keys, bootstrap, directory)
                } catch is CancellationError {
                    return nil
                }
            }
        }
    }

    /// - Parameter hosts: the partition of each.
    private func lanes(
        hosts: [Int32], _ keys: [String], _ bootstrap: [BrokerAddress], _ directory: String
    ) throws -> WorkloadOutput {
        var lanes: [WorkloadLane] = []
        for partition in Set(hosts).sorted() {
            guard let first = hosts.firstIndex(of: partition) else { continue }
            let publisher = try SpooledPublisher(
                directory: "\(directory)/partition-\(partition)", topics: [topic], key: keys[first],
                bootstrap: bootstrap, logger: logger)
            lanes.append(WorkloadLane(partition: partition, publisher: publisher))
        }
        let laneOfHost = hosts.map { host in lanes.firstIndex { $0.partition == host } ?? 0 }
        return .brokers(lanes: lanes, laneOfHost: laneOfHost)
    }

    /// Plays the workload to its end, or to the shutdown, and lets what is under way go out.
    private func play(to output: WorkloadOutput, _ ledger: WorkloadLedger?) async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await self.publishRuns(to: output, ledger)
                await output.drain(within: Self.brokerPatience)
            } catch is CancellationError {}
        }
        await output.sayFarewell(within: Self.directPatience)
    }

    private func publishRuns(to output: WorkloadOutput, _ ledger: WorkloadLedger?) async throws {
        var schedule = WorkloadSchedule(
            hosts: configuration.hosts, interval: configuration.interval, duration: configuration.duration,
            burst: configuration.burst, shape: configuration.shape)
        let clock = ContinuousClock()
        let (start, startTime) = (clock.now, Timestamp.now())
        var blocks = [RecordBlock](repeating: RecordBlock(), count: output.laneCount)
        var next = schedule.next()
        while let run = next {
            let due = start + .milliseconds(run.milliseconds)
            if due > clock.now { try await clock.sleep(until: due) }
            try Task.checkCancellation()
            // Everything that is due by now, up to what fits a block.
            let now = clock.now
            var bytes = 0
            while let run = next, start + .milliseconds(run.milliseconds) <= now, bytes < Self.blockBytes {
                let time = Timestamp(milliseconds: startTime.milliseconds + run.milliseconds)
                let lane = output.lane(ofHost: run.host)
                let before = blocks[lane].text.readableBytes
                let instance = instance(run.host)
                blocks[lane].append(instance: instance, timestamp: time) { buffer in
                    text.write(instance: instance, host: run.host, time: time, to: &buffer)
                }
                bytes += blocks[lane].text.readableBytes - before
                next = schedule.next()
            }
            try ledger?.append(blocks, topic: topic.rawValue)
            note(blocks, lateness: clock.now - due)
            try await publish(blocks, to: output)
            for lane in blocks.indices { blocks[lane].removeAll() }
        }
    }

    private func publish(_ blocks: [RecordBlock], to output: WorkloadOutput) async throws {
        switch output {
        case .direct(let publisher):
            for block in blocks { publisher.offer(block, to: topic) }
        case .brokers(let lanes, _):
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (block, lane) in zip(blocks, lanes) where !block.isEmpty {
                    group.addTask { try await self.accept(block, in: lane) }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Waits while the spool is full: a workload's records are written down and have to arrive.
    private func accept(_ block: RecordBlock, in lane: WorkloadLane) async throws {
        var hasWaited = false
        while true {
            do throws(SpoolError) {
                return try await lane.publisher.append(block, to: topic)
            } catch {
                if !hasWaited { logger.warning("the workload waits: \(error)") }
                hasWaited = true
            }
            do {
                try await Task.sleep(for: Self.retryPause)
            } catch {
                counts.withLock { $0.refusedSamples += block.sampleCount }
                throw error
            }
        }
    }

    private func note(_ blocks: [RecordBlock], lateness: Duration) {
        counts.withLock { counts in
            for block in blocks {
                counts.records += block.records.count
                counts.samples += block.sampleCount
                counts.textBytes += block.text.readableBytes
            }
            counts.longestLateness = max(counts.longestLateness, lateness)
        }
    }

    private func instance(_ host: Int) -> String { "\(configuration.prefix)-\(host)" }
}

/// What a generator has made and published so far.
public struct WorkloadStatistics: Sendable {
    /// Made and written down, with their samples.
    public var records = 0
    public var samples = 0
    /// Of their text, before compression.
    public var textBytes = 0
    /// Written down, and then not taken by the spool before the shutdown.
    public var refusedSamples = 0
    /// How long after its time a run was made, the longest.
    public var longestLateness = Duration.zero
    /// Through spools.
    public var published = SpooledPublisher.Statistics()
    /// By destination, without a broker.
    public var direct: [DirectStatistics] = []
    public var connections = 0
    public var bytesIn = 0
    public var bytesOut = 0
}
