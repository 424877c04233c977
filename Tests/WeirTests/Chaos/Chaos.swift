import FoundationEssentials
import Glibc
import KafkaClient
import KafkaProtocol
import Logging
import MetricModel
import RecordBatch
import SeriesStore
import TestKit
import Testing

/// The processes of one run, and what befalls them.
struct Chaos {
    /// What happened, for whoever runs it.
    struct Outcome {
        var killed: [String: Int] = [:]
        /// Subscribers that stood still until another one had stored what they had in hand, and for any time.
        var overtaken = 0
        var stopped = 0
        var stalledBroker = 0
        /// Heads that were refused, because another subscriber had stored more of their partitions, or their records.
        var positionConflicts = 0
        var recordConflicts = 0
        var samples = 0
        var records: Int64 = 0
        /// In mode `stream`.
        var rollups: String?

        var kills: Int { killed.values.reduce(0, +) }
    }

    private static let topics = ["metrics.red", "metrics.green", "metrics.blue"]
    private static let partitions = 3
    private static let names = ["subscriber-a", "subscriber-b"]
    /// Short, so that partitions move while a test waits.
    private static let sessionTimeout = Duration.seconds(1)
    /// Every so many blows one that has two subscribers commit the same.
    private static let overtakingEvery = 8
    /// A subscriber that stands still in the middle of a transaction is waited for, and nobody overtakes it.
    private static let overtakingPatience = Duration.seconds(6)

    let weir: WeirProcesses
    private let subscriberOptions: [String]
    private let emits: Bool
    private let port: Int
    private let address: String
    private var broker: ChildProcess
    private var subscribers: [ChildProcess] = []
    private let cluster: Cluster
    private let places: [TopicPartition]
    private let publishers: [ChaosPublisher]
    private let sender: ChaosSender
    private let mirrorRandom: SeededRandom
}

extension Chaos {
    init(mode: String, random: inout SeededRandom) async throws {
        weir = try WeirProcesses(executable: getenv("WEIR_CHAOS_BINARY").map { String(cString: $0) })
        emits = mode == "stream"
        var options = ["--mode", mode, "--session-timeout", Self.sessionTimeout.shortText]
        if emits {
            let path = weir.directory.appending("rules.yaml")
            try ChaosRollups.rules.write(toFile: path, atomically: true, encoding: .utf8)
            options += ["--rules", path]
        }
        subscriberOptions = options
        (broker, address) = try await weir.startBroker()
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        self.port = port
        let cluster = Cluster(
            configuration: ClientConfiguration(
                bootstrap: [BrokerAddress(host: "127.0.0.1", port: port)],
                retryBackoff: .milliseconds(20)...(.milliseconds(200))),
            logger: LogLines().logger)
        self.cluster = cluster
        let names = try Self.topics.map { try TopicName($0) }
        for name in names {
            try await Admin(cluster: cluster).createTopic(NewTopic(name: name, partitions: Self.partitions))
        }
        places = names.flatMap { name in
            (0..<Self.partitions).map { TopicPartition(topic: name, partition: PartitionIndex(Int32($0))) }
        }
        // Some hours back, so that samples are sealed and windows of both widths have a past.
        let start = (Int64(time(nil)) - 40 * 3600) * 1000
        let (weir, address) = (weir, address)
        publishers = ["north", "south", "west"].map { instance in
            ChaosPublisher(
                weir, instance: instance, address: address, topics: names, start: start, random: random.split())
        }
        sender = ChaosSender(cluster, instance: "east", partitions: places, start: start, random: random.split())
        mirrorRandom = random.split()
        for name in Self.names { subscribers.append(try startSubscriber(name)) }
    }

    private func startSubscriber(_ name: String) throws -> ChildProcess {
        try weir.startSubscriber(address, name: name, subscriberOptions)
    }

    func ledgers() async -> [ChaosLedger] {
        var ledgers = [await sender.ledger]
        for publisher in publishers { ledgers.append(await publisher.ledger) }
        return ledgers
    }

    /// Publishes, kills, waits until all is stored, and stops everything.
    func run(kills: Int, using random: inout SeededRandom) async throws -> Outcome {
        var outcome = Outcome()
        var mirror = ChaosMirror(cluster: cluster, partitions: places, random: mirrorRandom)
        let resending = Task { () async throws -> Void in await mirror.run() }
        let publishing =
            publishers.map { publisher in Task { try await publisher.run() } }
            + [Task { [sender] in try await sender.run() }]
        var chaos = self
        let reader: SeriesReader
        do {
            reader = try await openReader()
            try await chaos.rage(kills: kills, reader, &outcome, using: &random)
            for publisher in publishers { await publisher.end() }
            await sender.end()
            for task in publishing { try await task.value }
        } catch {
            // Nothing of this run outlives it.
            for task in publishing + [resending] { task.cancel() }
            for task in publishing + [resending] { _ = await task.result }
            throw error
        }
        resending.cancel()
        _ = await resending.result
        outcome.records = try await chaos.waitUntilStored(reader)
        try reader.close()
        try await chaos.expectNoTimes()
        if emits { outcome.rollups = try await chaos.checkRollups() }
        try await chaos.stop(&outcome)
        outcome.samples = await ledgers().reduce(0) { $0 + $1.sampleCount }
        return outcome
    }

    private func openReader() async throws -> SeriesReader {
        var reader: SeriesReader?
        try await eventually("a subscriber has made the database: \(said)") {
            do {
                reader = try SeriesReader(path: weir.database)
            } catch StoreError.missing {
            } catch StoreError.olderSchema {
                // It is being made.
            }
            return reader != nil
        }
        return try #require(reader)
    }

    /// What the subscribers said last.
    private var said: String {
        subscribers.map { "\($0.errorOutput.suffix(3000))" }.joined(separator: "\n---\n")
    }

    private func stop(_ outcome: inout Outcome) async throws {
        for process in subscribers {
            process.signal(SIGTERM)
            let status = try await process.wait(within: .seconds(60))
            let output = process.errorOutput
            #expect(status == .exited(0), "\(output.suffix(2000))")
            #expect(!output.contains("locked"))
            outcome.positionConflicts += output.split(separator: "was to be continued from").count - 1
            outcome.recordConflicts += output.split(separator: "are stored already").count - 1
        }
        cluster.close()
        broker.signal(SIGTERM)
        #expect(try await broker.wait() == .exited(0), "\(broker.errorOutput.suffix(2000))")
    }
}

// MARK: - Blows

extension Chaos {
    private mutating func rage(
        kills: Int, _ reader: SeriesReader, _ outcome: inout Outcome, using random: inout SeededRandom
    ) async throws {
        var blows = 0
        while outcome.kills < kills {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...400, using: &random)))
            blows += 1
            if blows % Self.overtakingEvery == 0 {
                try await overtake(reader, &outcome, using: &random)
            } else {
                try await strike(&outcome, using: &random)
            }
        }
    }

    private mutating func strike(_ outcome: inout Outcome, using random: inout SeededRandom) async throws {
        let index = Int.random(in: subscribers.indices, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<4:
            outcome.killed["broker", default: 0] += 1
            broker.kill()
            (broker, _) = try await weir.startBroker(port: port)
        case 4..<8:
            outcome.killed["agents", default: 0] += 1
            await publishers[Int.random(in: publishers.indices, using: &random)].kill()
        case 8..<15:
            outcome.killed["subscribers", default: 0] += 1
            subscribers[index].kill()
            // Sometimes the other has the time to take over.
            if Bool.random(using: &random) {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...1000, using: &random)))
            }
            subscribers[index] = try startSubscriber(Self.names[index])
        case 15..<17:
            outcome.stopped += 1
            subscribers[index].signal(SIGSTOP)
            try await Task.sleep(for: .milliseconds(Int.random(in: 300...2000, using: &random)))
            subscribers[index].signal(SIGCONT)
        case 17..<18:
            // Every connection stands still, and perhaps every member is given up.
            outcome.stalledBroker += 1
            broker.signal(SIGSTOP)
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...1500, using: &random)))
            broker.signal(SIGCONT)
        default:
            // One that ends in order, so that partitions are given over.
            subscribers[index].signal(SIGTERM)
            _ = try await subscribers[index].wait(within: .seconds(60))
            subscribers[index] = try startSubscriber(Self.names[index])
        }
    }

    /// A subscriber stands still until the other one has stored whatever it had in hand, and goes on as if nothing had been.
    /// When that is done at once it had no partition, and it is the other one's turn.
    private func overtake(
        _ reader: SeriesReader, _ outcome: inout Outcome, using random: inout SeededRandom
    ) async throws {
        for subscriber in subscribers.shuffled(using: &random) {
            let start = ContinuousClock.now
            subscriber.signal(SIGSTOP)
            defer { subscriber.signal(SIGCONT) }
            let ends = try await endOffsets()
            while try !isStored(ends, reader) {
                guard .now < start + Self.overtakingPatience else { return }
                try await Task.sleep(for: .milliseconds(20))
            }
            guard .now < start + Self.sessionTimeout else {
                outcome.overtaken += 1
                return
            }
        }
    }
}

// MARK: - What came of it

extension Chaos {
    /// How far each partition reaches; waits for the broker.
    private func endOffsets() async throws -> [TopicPartition: Offset] {
        var ends: [TopicPartition: Offset]?
        try await eventually("the broker answers") {
            do {
                ends = try await Admin(cluster: cluster).endOffsets(places)
            } catch is KafkaClientError {}
            return ends != nil
        }
        return ends ?? [:]
    }

    private func isStored(_ ends: [TopicPartition: Offset], _ reader: SeriesReader) throws -> Bool {
        let offsets = try reader.progress().offsets
        return ends.allSatisfy { partition, end in
            let source = SourcePartition(topic: partition.topic.rawValue, partition: partition.partition.rawValue)
            return end.rawValue == 0 || offsets[source, default: 0] >= end.rawValue
        }
    }

    /// Until every record that is in the topics is dealt with; gives how many there are.
    private func waitUntilStored(_ reader: SeriesReader) async throws -> Int64 {
        let ends = try await endOffsets()
        try await eventually("all records are stored: \(said)") {
            try await Task.sleep(for: .milliseconds(100))
            return try isStored(ends, reader)
        }
        return ends.values.reduce(0) { $0 + $1.rawValue }
    }

    /// The ledger's lines without a time show what was counted twice as long as nobody gives their records one: then both
    /// samples would have the same.
    private func expectNoTimes() async throws {
        let ends = try await endOffsets().filter { $0.value > 0 }
        var unseen = Set(ends.keys)
        let consumer = PartitionConsumer(cluster: cluster, starts: ends.mapValues { _ in 0 })
        defer { consumer.close() }
        for try await batch in consumer {
            for encoded in batch.batches {
                #expect(encoded.header.maxTimestamp == ChaosPublisher.noTime.milliseconds)
            }
            unseen.remove(batch.topicPartition)
            if unseen.isEmpty { return }
        }
    }

    /// Until what was emitted is what the ledgers give; says how much that was.
    private func checkRollups() async throws -> String {
        let expected = try await ChaosRollups.expected(of: ledgers())
        var rollups = ChaosRollups()
        do {
            try await eventually("every window is closed and emitted") {
                try await Task.sleep(for: .milliseconds(500))
                try await rollups.readOn(from: cluster)
                return rollups.lines.isSuperset(of: expected)
            }
        } catch is TestKitError {
            // What is missing is among the problems.
        }
        let problems = rollups.problems(expected: expected)
        #expect(problems.count == 0, "\(problems.count) of the rollups, such as \(problems.prefix(5)); \(said)")
        return """
            \(expected.count) results of \(rollups.windowCount) windows, \(rollups.revisedWindows) of them revised; \
            \(rollups.recordCount) records of \(rollups.epochCount) epochs, \(rollups.repetitions) of them repetitions
            """
    }
}

extension Chaos.Outcome: CustomStringConvertible {
    var description: String {
        let killed = killed.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return """
            killed \(killed) times; subscribers overtaken \(overtaken) times, stopped \(stopped) times more, the broker stalled \
            \(stalledBroker) times; refused heads: \(positionConflicts) behind, \(recordConflicts) with records that were \
            stored; \(samples) samples in \(records) records, re-sent ones among them\(rollups.map { "; \($0)" } ?? "")
            """
    }
}
