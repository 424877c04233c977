import Aggregation
import Glibc
import KafkaClient
import KafkaProtocol
import Logging
import MetricModel
import RecordBatch
import SeriesStore
import TestKit
import Testing

/// The promise of exactly once for subscribers that share a database, against everything that dies or stands still at random
/// instants. `scripts/chaos` runs it for longer.
@Suite("Chaos: two subscribers, one database", .serialized)
struct ChaosTests {
    private static func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// How often a process is killed.
    private static let kills = setting("WEIR_CHAOS_KILLS").flatMap { Int($0) } ?? 20
    private static let mode = setting("WEIR_CHAOS_MODE") ?? "batch"

    @Test("every sample is stored once and every window counts it once, whatever is killed, stopped or sent again")
    func everySampleOnce() async throws {
        var random = SeededRandom(SeededGenerator())
        let chaos = try await Chaos(mode: Self.mode, random: &random)
        let outcome = try await chaos.run(kills: Self.kills, using: &random)
        print("\(Self.mode): \(outcome)")

        let stored = try StoredSamples(database: chaos.weir.database)
        let ledgers = await chaos.ledgers()
        for ledger in ledgers {
            #expect(ledger.sampleCount > 0)
            for (series, samples) in ledger.samples { #expect(stored.samples[series] == samples, "\(series)") }
            for series in ledger.single { #expect(stored.samples[series]?.count == 1, "\(series)") }
        }
        for resolution in Resolution.allCases {
            let windows = try stored.windows(resolution)
            for (series, expected) in ledgers.flatMap({ $0.windows(resolution) }) {
                #expect(windows[series] == expected, "windows of \(resolution) of \(series)")
            }
        }
        #expect(stored.count == outcome.samples)
        let check = try await chaos.weir.run(["database", "check", "--database", chaos.weir.database])
        #expect(check.status == .exited(0), "\(check.output)\(check.error)")
    }
}

/// The processes of one run, and what befalls them.
struct Chaos {
    /// What happened, for whoever runs it.
    struct Outcome: CustomStringConvertible {
        var killed: [String: Int] = [:]
        var stopped = 0
        var superseded = 0
        var samples = 0
        var records: Int64 = 0

        var description: String {
            let killed = killed.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            return """
                killed \(killed) times; subscribers stopped and woken \(stopped) times, \(superseded) times another one had been \
                first; \(samples) samples in \(records) records, re-sent ones among them
                """
        }
    }

    private static let topics = ["metrics.red", "metrics.green", "metrics.blue"]
    private static let partitions = 3
    private static let names = ["subscriber-a", "subscriber-b"]
    /// Short, so that partitions move while a test waits.
    private static let sessionTimeout = "1s"

    let weir: WeirProcesses
    private let mode: String
    private let port: Int
    private let address: String
    private var broker: ChildProcess
    private var subscribers: [ChildProcess] = []
    private let cluster: Cluster
    private let places: [TopicPartition]
    private let publishers: [ChaosPublisher]
    private let mirrorRandom: SeededRandom
}

extension Chaos {
    init(mode: String, random: inout SeededRandom) async throws {
        self.mode = mode
        weir = try WeirProcesses(executable: getenv("WEIR_CHAOS_BINARY").map { String(cString: $0) })
        (broker, address) = try await weir.startBroker()
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        self.port = port
        cluster = Cluster(
            configuration: ClientConfiguration(
                bootstrap: [BrokerAddress(host: "127.0.0.1", port: port)],
                retryBackoff: .milliseconds(20)...(.milliseconds(200))),
            logger: LogLines().logger)
        let names = try Self.topics.map { try TopicName($0) }
        for name in names {
            try await Admin(cluster: cluster).createTopic(NewTopic(name: name, partitions: Self.partitions))
        }
        places = names.flatMap { name in
            (0..<Self.partitions).map { TopicPartition(topic: name, partition: PartitionIndex(Int32($0))) }
        }
        let (weir, address) = (weir, address)
        publishers = ["north", "south", "west"].map { instance in
            ChaosPublisher(weir, instance: instance, address: address, topics: names, random: random.split())
        }
        mirrorRandom = random.split()
        for name in Self.names { subscribers.append(try startSubscriber(name)) }
    }

    private func startSubscriber(_ name: String) throws -> ChildProcess {
        try weir.startSubscriber(
            address, name: name, ["--mode", mode, "--session-timeout", Self.sessionTimeout])
    }

    func ledgers() async -> [ChaosLedger] {
        var ledgers: [ChaosLedger] = []
        for publisher in publishers { ledgers.append(await publisher.ledger) }
        return ledgers
    }

    /// Publishes, kills, waits until all is stored, and stops everything.
    func run(kills: Int, using random: inout SeededRandom) async throws -> Outcome {
        var chaos = self
        var outcome = Outcome()
        var mirror = ChaosMirror(cluster: cluster, partitions: places, random: mirrorRandom)
        let resending = Task { await mirror.run() }
        let publishing = publishers.map { publisher in Task { try await publisher.run() } }
        while outcome.killed.values.reduce(0, +) < kills {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...500, using: &random)))
            try await chaos.strike(&outcome, using: &random)
        }
        for publisher in publishers { await publisher.end() }
        for task in publishing { try await task.value }
        resending.cancel()
        await resending.value
        outcome.records = try await chaos.waitUntilStored()
        for process in chaos.subscribers {
            process.signal(SIGTERM)
            let status = try await process.wait()
            #expect(status == .exited(0), "\(process.errorOutput.suffix(2000))")
            #expect(!process.errorOutput.contains("locked"))
            outcome.superseded += process.errorOutput.split(separator: "another subscriber was first").count - 1
        }
        cluster.close()
        chaos.broker.signal(SIGTERM)
        #expect(try await chaos.broker.wait() == .exited(0), "\(chaos.broker.errorOutput.suffix(2000))")
        outcome.samples = await ledgers().reduce(0) { $0 + $1.sampleCount }
        return outcome
    }

    private mutating func strike(_ outcome: inout Outcome, using random: inout SeededRandom) async throws {
        let index = Int.random(in: subscribers.indices, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<2:
            outcome.killed["broker", default: 0] += 1
            broker.kill()
            (broker, _) = try await weir.startBroker(port: port)
        case 2..<4:
            outcome.killed["agents", default: 0] += 1
            await publishers[Int.random(in: publishers.indices, using: &random)].kill()
        case 4..<7:
            outcome.killed["subscribers", default: 0] += 1
            subscribers[index].kill()
            // Sometimes the other has the time to take over.
            if Bool.random(using: &random) {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...1500, using: &random)))
            }
            subscribers[index] = try startSubscriber(Self.names[index])
        case 7..<9:
            // It stands still, its partitions go, and it goes on as if nothing had been.
            outcome.stopped += 1
            subscribers[index].signal(SIGSTOP)
            try await Task.sleep(for: .milliseconds(Int.random(in: 600...2500, using: &random)))
            subscribers[index].signal(SIGCONT)
        default:
            // One that ends in order, so that partitions are given over.
            subscribers[index].signal(SIGTERM)
            _ = try await subscribers[index].wait(within: .seconds(60))
            subscribers[index] = try startSubscriber(Self.names[index])
        }
    }

    /// Until every record that is in the topics is dealt with; gives how many there are.
    private func waitUntilStored() async throws -> Int64 {
        let ends = try await Admin(cluster: cluster).endOffsets(places)
        let reader = try SeriesReader(path: weir.database)
        defer { try? reader.close() }
        let said = { subscribers.map { "\($0.errorOutput.suffix(3000))" }.joined(separator: "\n---\n") }
        try await eventually("all records are stored: \(said())", within: .seconds(120)) {
            try await Task.sleep(for: .milliseconds(100))
            let offsets = try reader.progress().offsets
            return ends.allSatisfy { partition, end in
                let source = SourcePartition(
                    topic: partition.topic.rawValue, partition: partition.partition.rawValue)
                return end.rawValue == 0 || offsets[source] == end.rawValue
            }
        }
        return ends.values.reduce(0) { $0 + $1.rawValue }
    }
}
