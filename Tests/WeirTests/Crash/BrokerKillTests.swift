import Glibc
import KafkaClient
import KafkaProtocol
import TestKit
import Testing

/// The broker's promise against `kill -9` at random instants under load. `scripts/crash kill` runs it for longer, with a
/// release build.
@Suite("A broker killed under load", .serialized)
struct BrokerKillTests {
    private static func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// How often the broker is killed; the same seed makes the same plan.
    private static let kills = setting("WEIR_CRASH_KILLS").flatMap { Int($0) } ?? 12
    private static let seed = setting("WEIR_TEST_SEED").flatMap { UInt64($0) } ?? 20_261_128
    /// What a broker may take to be ready again; only checked when it is asked for, as tests must not fail on slow machines.
    private static let readyWithin = setting("WEIR_CRASH_READY_MS").flatMap { Int64($0) }

    @Test("no acknowledged record is lost, none is torn, none of an idempotent producer is there twice")
    func nothingIsLostTornOrTwice() async throws {
        var random = SeededGenerator(seed: Self.seed)
        let pauses = (0..<Self.kills).map { _ in Int64.random(in: 20...400, using: &random) }
        let weir = try CrashedBroker(port: try freePort())
        try await weir.start()
        let places = try await weir.createTopics()
        let ledger = CrashLedger()
        let load = CrashLoad(port: weir.port, places: places, ledger: ledger)
        async let clients: Void = load.run()
        var readyTimes: [Duration] = []
        for pause in pauses {
            try await Task.sleep(for: .milliseconds(pause))
            weir.kill()
            readyTimes.append(try await weir.start())
        }
        // Long enough that all clients have found it again and done something.
        try await Task.sleep(for: .milliseconds(300))
        load.end()
        try await clients
        let client = try await RawClient.connect(port: weir.port)
        var held: [CrashLedger.Place: [(offset: Int64, record: CrashRecord)]] = [:]
        for place in places { held[place] = try await CrashLoad.readAll(client, place) }
        ledger.check(held)
        readyTimes.sort()
        print(
            """
            killed \(Self.kills) times (seed \(Self.seed)): \(ledger.summary); ready again after \
            \(readyTimes[readyTimes.count / 2].milliseconds) ms (median), \(readyTimes.last?.milliseconds ?? 0) ms (most)
            """)
        if let limit = Self.readyWithin, let slowest = readyTimes.last {
            #expect(slowest <= .milliseconds(limit))
        }
        let said = weir.log.split(separator: "\n").filter { $0.contains("error") || $0.contains("critical") }
        #expect(said.isEmpty, "\(said.prefix(20).joined(separator: "\n"))")
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// A broker's process that is killed and started again on the same port and directory. One task uses it.
final class CrashedBroker {
    let port: Int
    private let directory: TemporaryDirectory
    private let executable: String
    private var process: ChildProcess?
    private let arguments: [String]

    /// - Parameter dataDirectory: nil for one that goes with the value.
    init(port: Int, dataDirectory: String? = nil, _ more: [String] = []) throws {
        self.port = port
        self.directory = try TemporaryDirectory("weir-crash")
        self.executable = try getenv("WEIR_CRASH_BINARY").map { String(cString: $0) } ?? builtExecutable("weir")
        self.arguments =
            [
                "broker", "--data-dir", dataDirectory ?? self.directory.appending("data"), "--listen",
                "127.0.0.1:\(port)",
            ] + more
    }

    /// Everything that all its lives have logged.
    var log: String { self.process.map { $0.output + $0.errorOutput } ?? "" }

    func kill() { self.process?.kill() }

    /// Starts it.
    ///
    /// - Returns: what it took until ApiVersions and Metadata were answered.
    @discardableResult
    func start() async throws -> Duration {
        let clock = ContinuousClock()
        let began = clock.now
        let process = try ChildProcess(self.executable, self.arguments, name: "broker", directory: self.directory.path)
        self.process = process
        while true {
            do {
                let client = try await RawClient.connect(port: self.port)
                _ = try await client.ask(ApiVersionsRequest(), version: 0)
                _ = try await client.ask(MetadataRequest(topics: nil))
                return clock.now - began
            } catch {
                guard process.poll() == nil else { throw TestKitError.process("the broker ended: \(self.log)") }
                guard clock.now - began < .seconds(60) else { throw error }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    /// Two topics with two partitions each, one of segments so small that many kills hit a new one.
    func createTopics() async throws -> [CrashLedger.Place] {
        let client = try await RawClient.connect(port: self.port)
        let answer = try await client.ask(
            CreateTopicsRequest(topics: [
                .init(name: "large", numPartitions: 2, replicationFactor: 1),
                .init(
                    name: "small", numPartitions: 2, replicationFactor: 1,
                    configs: [.init(name: "segment.bytes", value: "20000")]),
            ]))
        #expect(answer.topics.allSatisfy { $0.errorCode == .none })
        return ["large", "small"].flatMap { topic in
            [Int32(0), 1].map { CrashLedger.Place(topic: topic, partition: $0) }
        }
    }
}
