import FoundationEssentials
import MetricModel
import SeriesStore
import TestKit
import Testing

@testable import Topology

/// What the tables say is lost has to be what somebody else counts: here with the values themselves, made again from the
/// ledgers' headers, and read from the databases series by series.
@Suite("A stage's recount equals an independent one", .serialized)
struct StageRecountTests {
    private let load: StageLoad = {
        var load = StageLoad()
        load.hosts = 4
        load.series = 10
        load.intervalMilliseconds = 100
        load.events = 40
        return load
    }()

    private func makeRun(_ stage: String, _ directory: TemporaryDirectory, usesProxies: Bool = false) throws -> StageRun
    {
        var options = StageRun.Options()
        options.program = try builtExecutable("weir")
        options.usesProxies = usesProxies
        let declared = try #require(try ShippedStages.stage(named: stage))
        return try StageRun(
            StagePlan(declared, load: load), directory: directory.path, options: options, lifeline: try Lifeline())
    }

    private func awaitStored(_ run: StageRun, moreThan count: Int = 0) async throws {
        try await eventually("every subscriber has stored something") {
            try await run.checkAllRun()
            return await run.snapshot().processes(.subscriber).allSatisfy { $0.storedSamples > count }
        }
    }

    @Test func `through a broker that is killed, nothing is lost and nothing counted twice`() async throws {
        let directory = try TemporaryDirectory("stage")
        let run = try makeRun("pubsub", directory)
        do {
            try await run.start()
            try await awaitStored(run)
            let target = try #require(await run.target(of: .subscriberKilled))
            await run.kill(target)
            try await run.launch(target)
            let before = await run.snapshot().storedSamples
            try await eventually("data flows again") { await run.snapshot().storedSamples > before + 100 }
            try await run.stopPublishers()
            try await run.awaitDrained(within: .seconds(60))
        } catch {
            await run.stop()
            throw error
        }
        await run.stop()
        let recounts = try await run.recount()
        #expect(recounts.map(\.subscriber) == ["alerting", "archive", "dashboard"])
        for recount in recounts {
            #expect(recount.expected > 0)
            #expect(recount.lost == 0 && recount.unexpected == 0 && recount.countedWrong == 0, "\(recount)")
            let own = try await IndependentRecount(
                database: run.files.database(recount.subscriber), recount.subscriber, run.expectations)
            #expect(own.expected == recount.expected && own.missing == recount.lost && own.surplus == 0, "\(own)")
        }
    }

    @Test func `directly, what a cut network loses is what the recount says, not a sample more or less`() async throws {
        let directory = try TemporaryDirectory("stage")
        let run = try makeRun("many-types-direct", directory, usesProxies: true)
        do {
            try await run.start()
            try await awaitStored(run)
            for _ in 0..<3 {
                await run.cutNetwork()
                let before = await run.snapshot().storedSamples
                try await run.restoreNetwork()
                try await eventually("data flows again") { await run.snapshot().storedSamples > before + 40 }
            }
            await run.kill("dashboard")
            try await run.launch("dashboard")
            try await run.awaitReady("dashboard")
            let before = await run.snapshot().storedSamples
            try await eventually("data flows again") { await run.snapshot().storedSamples > before + 40 }
            try await run.stopPublishers()
            try await run.awaitDrained(within: .seconds(60))
        } catch {
            await run.stop()
            throw error
        }
        await run.stop()
        let recount = try #require(try await run.recount().first)
        let own = try await IndependentRecount(
            database: run.files.database("dashboard"), "dashboard", run.expectations)
        #expect(
            own.expected == recount.expected && own.missing == recount.lost && own.surplus == 0, "\(own) \(recount)")
        #expect(recount.expected == recount.stored + recount.lost)
        #expect(recount.unexpected == 0 && recount.countedWrong == 0)
    }

    @Test func `a tiny comparison of two stages, from start to tables`() async throws {
        let directory = try TemporaryDirectory("compare")
        var options = ComparisonOptions(
            stages: try ["single-direct", "pubsub"].map { try #require(try ShippedStages.stage(named: $0)) },
            directory: directory.path)
        options.load = load
        options.program = try builtExecutable("weir")
        options.parts = [.steady]
        options.pace = ComparisonPace(
            warmUp: .zero, steady: .milliseconds(700), peak: .zero, mode: .zero, scale: .zero, settling: .seconds(30),
            fault: .zero, burst: .zero, calm: .zero, patience: .seconds(60), scales: [], together: 1)
        let comparison = try await ComparisonRunner(options) { _ in }.run()
        for stage in comparison.stages {
            let steady = try #require(stage.steady)
            #expect(steady.lost == 0 && steady.expected > 0 && steady.latency.samples > 0)
            #expect(steady.cpuSecondsPerMillion > 0 && steady.memoryBytes > 0 && steady.wireBytesPerSample > 10)
            #expect(stage.recount.lost == 0 && stage.recount.unexpected == 0 && stage.recount.countedWrong == 0)
            #expect(stage.establishedConnections >= stage.shape.connections)
        }
        #expect(ComparisonTables(comparison).all.map(\.name) == ["size", "freshness", "cost", "accounts"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
}

/// Counts what a subscriber has without the code that the product counts with: reads the ledgers' lines itself, makes every
/// sample again, and looks each up in the database with its value.
private struct IndependentRecount {
    var expected = 0
    /// Not in the database, or with another value.
    var missing = 0
    /// In the database, and never made.
    var surplus = 0

    init(database: String, _ subscriber: String, _ expectations: [StageRun.Expectation]) throws {
        let reader = try SeriesReader(path: database)
        defer { try? reader.close() }
        let all = try reader.series(matching: [])
        let stored = try reader.samples(
            of: all.map(\.id), from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: .max))
        var values: [String: [Int64: Double]] = [:]
        for series in all {
            for sample in stored[series.id] ?? [] {
                values[series.labels.description, default: [:]][sample.timestamp.milliseconds] = sample.value
            }
        }
        var found = 0
        for expectation in expectations where expectation.subscriber == subscriber {
            var text: WorkloadText?
            let ledger = try String(contentsOfFile: expectation.ledger, encoding: .utf8)
            for line in ledger.split(separator: "\n") {
                if line.hasPrefix("# weir-ledger") {
                    text = try Self.text(header: line)
                    continue
                }
                let fields = line.split(separator: "\t")
                let time = try #require(Int64(fields[0]))
                let host = try #require(fields[2].split(separator: "-").last.flatMap { Int($0) })
                let samples = try #require(text).samples(
                    instance: String(fields[2]), host: host, time: Timestamp(milliseconds: time))
                #expect(samples.count == Int(fields[3]))
                for sample in samples {
                    expected += 1
                    let name = try Labels(parsing: sample.series).description
                    if values[name]?[time] == sample.value { found += 1 } else { missing += 1 }
                }
            }
        }
        surplus = values.values.reduce(0) { $0 + $1.count } - found
    }

    private static func text(header: Substring) throws -> WorkloadText {
        var fields: [Substring: Substring] = [:]
        for word in header.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        return WorkloadText(
            kind: try #require(fields["kind"].flatMap { WorkloadKind(rawValue: String($0)) }),
            seriesCount: try #require(fields["series"].flatMap { Int($0) }),
            seed: try #require(fields["seed"].flatMap { UInt64($0) }))
    }
}
