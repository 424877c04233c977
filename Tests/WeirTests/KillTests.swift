import Aggregation
import Glibc
import MetricModel
import SeriesStore
import TestKit
import Testing

/// The promise of exactly once, against `kill -9` of every part at random instants.
@Suite("Killed at random instants", .serialized)
struct KillTests {
    /// How often a process is killed in all; `WEIR_TEST_KILLS` asks for more.
    static let kills = getenv("WEIR_TEST_KILLS").flatMap { Int(String(cString: $0)) } ?? 24

    @Test("every sample that a spool accepted is in SQLite once, and every window counts it once")
    func everySampleOnce() async throws {
        var random = SeededGenerator()
        let weir = try WeirProcesses()
        var (broker, address) = try await weir.startBroker()
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        let instances = ["alpha", "beta"]
        var agents = try instances.map { try weir.startAgent(address, instance: $0) }
        var subscriber = try weir.startSubscriber(address)

        var killed = ["broker": 0, "agent": 0, "subscriber": 0]
        for kill in 0..<Self.kills {
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...700, using: &random)))
            // Each part in turn, so that each is killed about as often; the instant is what is random.
            switch kill % 3 {
            case 0:
                killed["broker", default: 0] += 1
                broker.kill()
                (broker, address) = try await weir.startBroker(port: port)
            case 1:
                killed["agent", default: 0] += 1
                let index = Int.random(in: agents.indices, using: &random)
                agents[index].kill()
                agents[index] = try weir.startAgent(address, instance: instances[index])
            default:
                killed["subscriber", default: 0] += 1
                subscriber.kill()
                subscriber = try weir.startSubscriber(address)
            }
        }
        print("killed \(killed)")

        for agent in agents {
            try await eventually("the agent runs: \(agent.errorOutput)") { agent.errorOutput.contains("collecting") }
            agent.signal(SIGTERM)
            let agentStatus = try await agent.wait()
            // One that was started a moment ago may not heed signals yet; what it has spooled is drained below.
            #expect([.exited(0), .signalled(SIGTERM)].contains(agentStatus), "\(agent.errorOutput)")
        }
        for instance in instances {
            let drain = try weir.startAgent(address, instance: instance, ["--drain"])
            #expect(try await drain.wait(within: .seconds(30)) == .exited(0), "\(drain.errorOutput)")
        }
        var ledger = SpoolLedger()
        for instance in instances { try ledger.add(spool: weir.spool(instance)) }
        #expect(ledger.sampleCount > 1000)

        let expected = ledger.sampleCount
        try await eventually(
            "all \(expected) samples are stored: \(subscriber.errorOutput.suffix(2000))", within: .seconds(60)
        ) {
            try StoredSamples(database: weir.database).count >= expected
        }
        subscriber.signal(SIGTERM)
        let subscriberStatus = try await subscriber.wait()
        #expect(subscriberStatus == .exited(0), "\(subscriber.errorOutput)")
        broker.signal(SIGTERM)
        let brokerStatus = try await broker.wait()
        #expect(brokerStatus == .exited(0), "\(broker.errorOutput)")

        let stored = try StoredSamples(database: weir.database)
        print("ledger: \(expected) samples of \(ledger.samples.count) series in \(ledger.recordCount) records")
        #expect(stored.count == expected)
        #expect(Set(stored.samples.keys) == Set(ledger.samples.keys))
        for (series, samples) in ledger.samples {
            #expect(stored.samples[series] == samples, "\(series)")
        }
        for resolution in Resolution.allCases {
            #expect(try stored.windowCounts(resolution) == ledger.windowCounts(resolution), "windows of \(resolution)")
        }
    }
}

/// What a database holds, series by series.
struct StoredSamples {
    let samples: [String: [Int64: Double]]
    private let reader: SeriesReader
    private let series: [StoredSeries]
    private static let everything = (
        from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: 1 << 52)
    )

    init(database: String) throws {
        reader = try SeriesReader(path: database)
        series = try reader.series(matching: [])
        let stored = try reader.samples(
            of: series.map(\.id), from: Self.everything.from, to: Self.everything.to)
        samples = Dictionary(
            uniqueKeysWithValues: series.map { series in
                let values = (stored[series.id] ?? []).map { ($0.timestamp.milliseconds, $0.value) }
                return ("\(series.labels)", Dictionary(uniqueKeysWithValues: values))
            })
    }

    var count: Int { samples.values.reduce(0) { $0 + $1.count } }

    /// The windows by series and start.
    func windows(_ resolution: Resolution) throws -> [String: [Int64: WindowAggregate]] {
        let windows = try reader.windows(
            of: series.map(\.id), resolution: resolution, from: Self.everything.from, to: Self.everything.to)
        return Dictionary(
            uniqueKeysWithValues: series.map { series in
                let found = (windows[series.id] ?? []).map { ($0.start.milliseconds, $0.aggregate) }
                return ("\(series.labels)", Dictionary(uniqueKeysWithValues: found))
            })
    }

    /// How many samples each window of each series counts.
    func windowCounts(_ resolution: Resolution) throws -> [String: [Int64: Int64]] {
        let windows = try reader.windows(
            of: series.map(\.id), resolution: resolution, from: Self.everything.from, to: Self.everything.to)
        return Dictionary(
            uniqueKeysWithValues: series.map { series in
                let counts = (windows[series.id] ?? []).map { ($0.start.milliseconds, $0.aggregate.count) }
                return ("\(series.labels)", Dictionary(uniqueKeysWithValues: counts))
            })
    }
}

extension SpoolLedger {
    /// What `StoredSamples.windowCounts` has to be.
    func windowCounts(_ resolution: Resolution) -> [String: [Int64: Int64]] {
        samples.mapValues { samples in
            samples.keys.reduce(into: [:]) { counts, time in
                counts[resolution.windowStart(of: Timestamp(milliseconds: time)).milliseconds, default: 0] += 1
            }
        }
    }
}
