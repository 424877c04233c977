import FoundationEssentials
import Glibc
import KafkaClient
import KafkaProtocol
import Logging
import MetricAgent
import MetricModel
import NIOCore
import Subscriber
import TestKit
import Testing
import Topology

/// Publishers without a broker, against subscriber processes that are stopped and killed.
@Suite("Direct links", .serialized)
struct DirectLinkEndToEndTests {
    let weir: WeirProcesses
    /// Of the first record; recent, since retention would drop old samples.
    private let start = Timestamp.now() - .seconds(60)

    init() throws { weir = try WeirProcesses() }

    private func startSubscriber(
        _ name: String = "subscriber", port: Int = 0
    ) async throws -> (process: ChildProcess, address: BrokerAddress) {
        // The output of a process that is started again goes on in the same file.
        let before = announcements(of: name).count
        let process = try weir.start(
            [
                "subscriber", "--direct", "127.0.0.1:\(port)", "--database", database(name), "--report", report(name),
            ], name: name)
        try await eventually("it listens: \(process.errorOutput)") {
            process.poll() != nil || announcements(of: name).count > before
        }
        let line = try #require(announcements(of: name).last, "\(process.errorOutput)")
        return (process, try BrokerAddress(parsing: String(line.split(separator: " ").last ?? "")))
    }

    private func announcements(of name: String) -> [Substring] {
        let text = try? String(contentsOfFile: weir.directory.appending("\(name).err"), encoding: .utf8)
        return (text ?? "").split(separator: "\n").filter { $0.contains("listening for direct publishers on") }
    }

    private func database(_ name: String) -> String { weir.directory.appending("\(name).sqlite") }
    private func report(_ name: String) -> String { weir.directory.appending("\(name).json") }

    private func stop(_ process: ChildProcess) async throws {
        process.signal(SIGTERM)
        let status = try await process.wait()
        #expect(status == .exited(0), "\(process.errorOutput)")
    }

    /// The text of a record of so many samples, at a time of its own.
    private func block(_ number: Int, samples: Int) -> RecordBlock {
        var block = RecordBlock()
        let time = start + .seconds(number)
        block.append(instance: "lab", timestamp: time) { buffer in
            for sample in 0..<samples {
                buffer.writeString("direct_test{n=\"\(sample)\"} \(number) \(time.milliseconds)\n")
            }
            return samples
        }
        return block
    }

    private var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    @Test("an agent's samples are in the database, and its report balances")
    func agent() async throws {
        let (subscriber, address) = try await startSubscriber()
        let agent = try weir.start(
            [
                "agent", "--direct", "\(address)", "--instance", "lab", "--interval", "100ms", "--self-metrics", "off",
                "--report", report("agent"),
            ], name: "agent")
        try await eventually("some are stored: \(agent.errorOutput) \(subscriber.errorOutput)") {
            try StoredSamples(database: database("subscriber")).count > 300
        }
        try await stop(agent)
        try await stop(subscriber)
        let published = try #require(try ProcessReport(reading: report("agent")).publisher)
        let link = try #require(published.direct?.first)
        #expect(published.offeredSamples == published.collectedSamples)
        #expect(link.offeredSamples == published.offeredSamples)
        #expect(link.sentSamples == link.offeredSamples)
        let stored = try ProcessReport(reading: report("subscriber"))
        #expect(stored.final)
        #expect(stored.subscriber?.samplesStored == link.sentSamples)
        #expect(stored.subscriber?.latency.samples == link.sentSamples)
        #expect(stored.network.bytesIn == link.sentBytes)
        #expect(try StoredSamples(database: database("subscriber")).count == link.sentSamples)
    }

    @Test("two subscribers get everything, sample by sample as the ledger has it")
    func mesh() async throws {
        let (first, one) = try await startSubscriber("first")
        let (second, two) = try await startSubscriber("second")
        let ledger = weir.directory.appending("cpu.ledger")
        let result = try await weir.run([
            "generate", "--kind", "cpu", "--hosts", "7", "--series", "33", "--interval", "100ms", "--for", "1500ms",
            "--burst", "5@500ms+300ms", "--seed", "3", "--direct", "\(one),\(two)", "--ledger", ledger, "--format",
            "json",
        ])
        #expect(result.status == .exited(0), "\(result.error)")
        #expect(result.output.contains("\"final\" : true"))
        try await stop(first)
        try await stop(second)
        let published = try PublishedLedger(path: ledger)
        #expect(published.records.count == 7 * (12 + 15))
        for name in ["first", "second"] { try expectAll(published, in: database(name)) }
    }

    @Test("what a full queue loses while the subscriber is dead is what the database lacks")
    func queueWhileDead() async throws {
        let (subscriber, address) = try await startSubscriber()
        var configuration = DirectConfiguration()
        configuration.queueRecords = 5
        configuration.retryPause = .milliseconds(20)...(.milliseconds(200))
        let publisher = DirectPublisher(
            destinations: [address], instance: "lab", configuration: configuration, logger: quiet)
        let topic = try TopicName("metrics.test")
        func statistics() throws -> DirectStatistics { try #require(publisher.statistics.first) }

        for number in 0..<3 { publisher.offer(block(number, samples: 10), to: topic) }
        try await eventually("three records are stored") {
            try StoredSamples(database: database("subscriber")).count == 30
        }
        subscriber.kill()
        try await eventually("the publisher knows") { try !statistics().isConnected }
        for number in 3..<23 { publisher.offer(block(number, samples: 10), to: topic) }
        #expect(try statistics().lost(.queueFull) == .init(records: 15, samples: 150))
        #expect(try statistics().waiting.samples == 50)

        let (again, _) = try await startSubscriber(port: address.port)
        try await eventually("the rest is sent") { try statistics().sent.samples == 80 }
        // What the kernel took for a process that has not accepted the connection yet goes with it when that is stopped.
        try await eventually("the rest has arrived") { try StoredSamples(database: database("subscriber")).count == 80 }
        try await stop(again)
        let stored = try StoredSamples(database: database("subscriber"))
        #expect(stored.count == 80)
        #expect(23 * 10 - stored.count == (try statistics().lostInAll.samples), "ledger less database")
        let kept = try #require(stored.samples[#"direct_test{n="0"}"#]).values.map(Int.init).sorted()
        #expect(kept == [0, 1, 2] + Array(18..<23), "the oldest were lost")
        await publisher.close()
        #expect(try statistics().connections == 2)
    }

    @Test("a subscriber that is stopped under load takes what is under way: nothing is lost over a restart")
    func stopped() async throws {
        let (subscriber, address) = try await startSubscriber()
        let ledger = weir.directory.appending("load.ledger")
        let generator = try weir.start(
            [
                "generate", "--kind", "network", "--hosts", "10", "--series", "20", "--interval", "50ms", "--direct",
                "\(address)", "--ledger", ledger, "--report", report("generate"), "--report-every", "100ms",
            ], name: "generate")
        try await eventually("samples flow: \(generator.errorOutput)") {
            try StoredSamples(database: database("subscriber")).count > 2000
        }
        try await stop(subscriber)
        let (again, _) = try await startSubscriber(port: address.port)
        let before = try StoredSamples(database: database("subscriber")).count
        try await eventually("they flow again") {
            try StoredSamples(database: database("subscriber")).count > before + 2000
        }
        // When it is stopped it gives what still waits half a second only.
        try await eventually("what waited meanwhile is sent") {
            try ProcessReport(reading: report("generate")).publisher?.direct?.first?.waitingRecords == 0
        }
        try await stop(generator)
        try await stop(again)
        let link = try #require(try ProcessReport(reading: report("generate")).publisher?.direct?.first)
        #expect(link.offeredSamples == link.sentSamples + link.lostSamples.values.reduce(0, +))
        #expect(link.lostSamples.values.allSatisfy { $0 == 0 }, "\(link.lostSamples)")
        try expectAll(try PublishedLedger(path: ledger), in: database("subscriber"))
    }

    @Test("a subscriber that is killed under load loses what it had in hand, and no more than was sent to it")
    func killed() async throws {
        var (subscriber, address) = try await startSubscriber()
        let ledger = weir.directory.appending("load.ledger")
        let generator = try weir.start(
            [
                "generate", "--kind", "memory", "--hosts", "20", "--series", "50", "--interval", "50ms", "--direct",
                "\(address)", "--ledger", ledger, "--report", report("generate"),
            ], name: "generate")
        for _ in 0..<3 {
            let before = (try? StoredSamples(database: database("subscriber")).count) ?? 0
            try await eventually("samples flow: \(generator.errorOutput)") {
                try StoredSamples(database: database("subscriber")).count > before + 3000
            }
            subscriber.kill()
            (subscriber, address) = try await startSubscriber(port: address.port)
        }
        try await stop(generator)
        try await stop(subscriber)
        let published = try PublishedLedger(path: ledger)
        let link = try #require(try ProcessReport(reading: report("generate")).publisher?.direct?.first)
        let stored = try StoredSamples(database: database("subscriber"))
        #expect(link.offeredSamples == published.sampleCount)
        #expect(link.waitingSamples == 0)
        let lost = link.lostSamples.values.reduce(0, +)
        #expect(link.offeredSamples == link.sentSamples + lost)
        #expect(stored.count <= link.sentSamples)
        #expect(published.sampleCount - stored.count >= lost)
        // What is there is what was published, once: windows are checked with the samples.
        let expected = samples(of: published)
        for (series, samples) in stored.samples {
            for (time, value) in samples { #expect(expected[series]?[time] == value, "\(series) at \(time)") }
        }
    }

    @Test("through a broker the database is the ledger, sample by sample, though the subscriber was killed")
    func brokered() async throws {
        let (broker, address) = try await weir.startBroker(["--report", report("broker")])
        let ledger = weir.directory.appending("log.ledger")
        func startReader() throws -> ChildProcess {
            try weir.start(
                [
                    "subscriber", "--bootstrap", address, "--topics", #"logs\..*"#, "--database", weir.database,
                    "--self-metrics", "off", "--report", report("subscriber"),
                ], name: "subscriber")
        }
        var subscriber = try startReader()
        let generator = try weir.start(
            [
                "generate", "--kind", "log", "--hosts", "9", "--series", "20", "--interval", "50ms", "--seed", "11",
                "--for", "2s", "--bootstrap", address, "--partitions", "3", "--spool-dir",
                weir.directory.appending("spool"), "--ledger", ledger, "--report", report("generate"),
            ], name: "generate")
        try await eventually("samples flow: \(subscriber.errorOutput)") {
            (try? StoredSamples(database: weir.database).count) ?? 0 > 500
        }
        subscriber.kill()
        subscriber = try startReader()
        let status = try await generator.wait(within: .seconds(60))
        #expect(status == .exited(0), "\(generator.errorOutput)")
        let published = try PublishedLedger(path: ledger)
        #expect(published.records.count == 9 * 40)
        #expect(published.records.map(\.sequence) == Array(0..<360))
        try await eventually("all are stored: \(subscriber.errorOutput)") {
            try StoredSamples(database: weir.database).count >= published.sampleCount
        }
        try await stop(subscriber)
        try await stop(broker)
        try expectAll(published, in: weir.database)

        let generated = try ProcessReport(reading: report("generate"))
        #expect(generated.publisher?.publishedRecords == 360)
        #expect(generated.publisher?.waitingRecords == 0)
        let served = try ProcessReport(reading: report("broker"))
        #expect(served.role == "broker")
        #expect(served.broker?.producedRecords == 360)
        #expect(served.network.bytesIn >= generated.network.bytesOut)
    }

    /// Every sample of a ledger, by series and time.
    private func samples(of published: PublishedLedger) -> [String: [Int64: Double]] {
        var samples: [String: [Int64: Double]] = [:]
        for index in published.records.indices {
            for (series, value) in published.samples(of: index) {
                samples[series, default: [:]][published.records[index].time] = value
            }
        }
        return samples
    }

    private func expectAll(
        _ published: PublishedLedger, in database: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let stored = try StoredSamples(database: database)
        #expect(stored.count == published.sampleCount, sourceLocation: sourceLocation)
        #expect(stored.samples == samples(of: published), sourceLocation: sourceLocation)
    }
}
